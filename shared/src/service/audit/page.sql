-- $1 request, $2 the same as a UUID, $3 user, $4 action, $5 type of resource, $6 resource, $7 from and $8 to
-- (microseconds), $9 whether the viewer may see everything, $10 the viewer and $11 the viewer's domain, $12 and $13 the
-- previous row, $14 number of rows
SELECT json_build_object('id', id, 'eventId', event_id,
  'createdAt', to_char(listed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'recordedAt', to_char(timestamp 'epoch' + recorded_micros * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'userId', user_id, 'domain', domain, 'action', coalesce(action, ''), 'resourceType', resource_type,
  'resourceId', resource_id, 'requestId', request_id, 'details', details, 'metadata', metadata,
  'ipAddress', ip_address, 'userAgent', user_agent, 'chain', chain, 'sequence', sequence, 'hash', hash,
  'canonical', canonical) AS entry
FROM ({seen}) AS seen
ORDER BY listed_at {order}, id {order}
LIMIT $14
