(SELECT * FROM signtusk.audit_entries
  WHERE ({reason})
    -- Rows without a chain name a request only as their resource.
    AND ($1 IS NULL OR request_id = $1
      OR (chain IS NULL AND resource_type = 'signing_request' AND signtusk.normal_id(resource_id) = $1))
    AND ($3 IS NULL OR user_id = $3)
    AND ($4 IS NULL OR action = $4)
    AND ($5 IS NULL OR resource_type = $5)
    AND ($6 IS NULL OR resource_id = $6)
    AND ($7 IS NULL OR listed_at >= timestamptz 'epoch' + $7 * interval '1 microsecond')
    AND ($8 IS NULL OR listed_at < timestamptz 'epoch' + $8 * interval '1 microsecond')
    AND ($12 IS NULL OR (listed_at, id) {after} (timestamptz 'epoch' + $12 * interval '1 microsecond', $13))
  ORDER BY listed_at {order}, id {order}
  LIMIT $14)