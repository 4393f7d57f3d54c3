SELECT json_build_object('email', address, 'reason', reason, 'note', note,
  'createdAt', created_at, 'createdBy', created_by) AS item
FROM signtusk.email_suppressions
WHERE ($1 IS NULL OR address = lower($1))
  AND ($2 IS NULL OR reason = $2)
  AND ($3 IS NULL
    OR (created_at, address || ' ' || reason) < (timestamptz 'epoch' + $3 * interval '1 microsecond', $4))
ORDER BY created_at DESC, address || ' ' || reason DESC
LIMIT $5
