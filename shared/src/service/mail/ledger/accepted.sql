UPDATE signtusk.email_ledger AS mail SET
  state = 'accepted',
  provider = $2,
  reason = NULL,
  (message_ids, message_id, doubled, in_doubt) = (
    SELECT ids, ids[1], cardinality(ids) > 1, mail.in_doubt AND cardinality(ids) < 2
    FROM (
      SELECT ARRAY(
        SELECT DISTINCT id FROM unnest(mail.message_ids || $3) AS id WHERE id <> '' ORDER BY id
      ) AS ids
    ) AS known
  ),
  accepted_at = least(mail.accepted_at, now()),
  updated_at = now()
WHERE key = $1
