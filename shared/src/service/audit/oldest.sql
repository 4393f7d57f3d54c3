SELECT json_build_object('id', id, 'eventId', event_id,
  'createdAt', to_char(timestamp 'epoch' + created_micros * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'recordedAt', to_char(timestamp 'epoch' + recorded_micros * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'userId', user_id, 'domain', domain, 'action', coalesce(action, ''), 'resourceType', resource_type,
  'resourceId', resource_id, 'requestId', request_id, 'details', details, 'metadata', metadata,
  'ipAddress', ip_address, 'userAgent', user_agent, 'chain', chain, 'sequence', sequence, 'hash', hash,
  'canonical', canonical) AS entry
FROM signtusk.audit_entries
-- Rows from before the chain name a request only as what they act on.
WHERE ($1 IS NULL OR request_id = $1
    OR (chain IS NULL AND resource_type = 'signing_request' AND resource_id = $1))
  AND ($3 IS NULL OR user_id = $3)
  AND ($4 IS NULL OR action = $4)
  AND ($5 IS NULL OR resource_type = $5)
  AND ($6 IS NULL OR resource_id = $6)
  AND ($7 IS NULL OR created_at >= timestamptz 'epoch' + $7 * interval '1 microsecond')
  AND ($8 IS NULL OR created_at < timestamptz 'epoch' + $8 * interval '1 microsecond')
  AND ($9 OR user_id = $10 OR domain = $11
    OR ($2 IS NOT NULL AND EXISTS (
      SELECT FROM public.signing_requests AS request
      LEFT JOIN public.user_profiles AS maker ON maker.id = request.initiated_by
      WHERE request.id = $2::uuid
        AND (request.initiated_by::text = $10 OR lower(split_part(maker.email, '@', 2)) = $11))))
  AND ($12 IS NULL OR (created_at, id) > (timestamptz 'epoch' + $12 * interval '1 microsecond', $13))
ORDER BY created_at, id
LIMIT $14
