WITH suppression AS (
  SELECT reason FROM signtusk.email_suppressions
  WHERE address = lower($3) AND ($11 OR reason <> 'unsubscribed')
  ORDER BY array_position(ARRAY['complained', 'bounced', 'manual', 'unsubscribed'], reason)
  LIMIT 1
), superseded AS (
  INSERT INTO signtusk.email_ledger AS earlier
    (key, kind, request_id, signer_id, occurrence, job_id, attempt, attempts, state, reason)
  SELECT $12, $2, $4, $5, $13, $7, $8, 0, 'superseded', 'a later occurrence took its place'
  WHERE $12 IS NOT NULL
  ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason, updated_at = now()
  WHERE earlier.state NOT IN ('accepted', 'superseded')
)
INSERT INTO signtusk.email_ledger AS mail
  (key, kind, recipient, request_id, signer_id, occurrence, job_id, attempt, attempts, state, reason, provider,
   sending_since, acting_user)
SELECT $1, $2, $3, $4, $5, $6, $7, $8,
  CASE WHEN stop IS NULL THEN 1 ELSE 0 END,
  CASE WHEN stop IS NULL THEN 'sending' ELSE 'suppressed' END,
  stop,
  CASE WHEN stop IS NULL THEN $9 END,
  CASE WHEN stop IS NULL THEN now() END,
  nullif($14, '')
FROM (SELECT (SELECT reason FROM suppression) AS stop) AS list
ON CONFLICT (key) DO UPDATE SET
  (recipient, job_id, attempt, attempts, state, reason, provider, sending_since, resumed, in_doubt, updated_at) = (
    SELECT
      CASE WHEN free OR mail.recipient IS NULL THEN excluded.recipient ELSE mail.recipient END,
      CASE WHEN free OR mail.recipient IS NULL THEN excluded.job_id ELSE mail.job_id END,
      CASE WHEN free THEN excluded.attempt ELSE mail.attempt END,
      mail.attempts + CASE WHEN goes AND another THEN 1 ELSE 0 END,
      CASE WHEN free THEN excluded.state ELSE mail.state END,
      CASE WHEN free THEN excluded.reason ELSE mail.reason END,
      CASE WHEN goes THEN excluded.provider ELSE mail.provider END,
      CASE WHEN goes THEN coalesce(since, excluded.sending_since) ELSE since END,
      CASE WHEN goes AND another THEN since IS NOT NULL ELSE mail.resumed END,
      mail.in_doubt OR goes AND another AND since IS NOT NULL
        AND NOT coalesce(mail.provider = excluded.provider AND since > now() - $10 * interval '1 second', false),
      CASE WHEN free THEN now() ELSE mail.updated_at END
    FROM (
      SELECT free, since, another, free AND excluded.state = 'sending' AS goes
      FROM (
        SELECT
          mail.state IN ('released', 'suppressed')
            OR mail.state = 'sending'
            AND (mail.job_id = excluded.job_id OR mail.updated_at < now() - interval '1 minute') AS free,
          coalesce(mail.sending_since, CASE WHEN mail.state = 'sending' THEN mail.updated_at END) AS since,
          mail.attempt <> excluded.attempt AS another
      ) AS found
    ) AS judged
  )
RETURNING state, attempt, in_doubt, reason
