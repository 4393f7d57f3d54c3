-- $1 ids, $2 outcomes, $3 reasons, $4 milliseconds to wait: one of each for a row; $5 the claim
UPDATE signtusk.outbox AS settled SET
  published_at = CASE WHEN outcome = 'done' THEN now() END,
  -- Names, addresses and links are deleted once they are no longer needed.
  payload = CASE WHEN outcome = 'done' THEN '{}' ELSE payload END,
  set_aside_at = CASE WHEN outcome = 'aside' THEN now() END,
  held_until = now() + rest * interval '1 millisecond',
  attempts = attempts - CASE WHEN outcome = 'free' THEN 1 ELSE 0 END,
  reason = told.reason,
  claim = NULL
FROM unnest($1, $2, $3, $4) AS told (id, outcome, reason, rest)
WHERE settled.id = told.id::uuid
  AND published_at IS NULL
  -- `done` is written even if another claim has the row.
  AND (outcome = 'done' OR claim = $5)
