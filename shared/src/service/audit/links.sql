SELECT chain, coalesce(sequence, 0) AS sequence, event_id, previous_hash, hash, canonical, request_id, domain, user_id,
  action, resource_type, resource_id, ip_address, user_agent, details::text AS details, metadata::text AS metadata,
  created_micros, recorded_micros
FROM signtusk.audit_entries
WHERE chain IS NOT NULL AND (chain, sequence) > ($1, $2) AND ($3 IS NULL OR chain <= $3)
ORDER BY chain, sequence
LIMIT $4
