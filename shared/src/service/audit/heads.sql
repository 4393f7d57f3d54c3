SELECT to_json(chained) AS head
FROM signtusk.audit_chains AS chained
WHERE ($1 IS NULL OR chain = $1)
  AND ($2 IS NULL OR chain IN (SELECT entry.chain FROM signtusk.audit_entries AS entry WHERE entry.user_id = $2))
  AND (chain > $3 OR ($4 AND chain = $3))
ORDER BY chain
LIMIT $5
