SELECT DISTINCT chain
FROM public.audit_logs
WHERE chain > $2 AND recorded_at < timestamptz 'epoch' + $1 * interval '1 microsecond'
ORDER BY chain
LIMIT $3
