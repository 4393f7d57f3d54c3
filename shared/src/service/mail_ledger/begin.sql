INSERT INTO signtusk.email_ledger AS mail
  (key, kind, recipient, request_id, signer_id, occurrence, job_id, state, attempt)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'sending', $8)
ON CONFLICT (key) DO UPDATE SET
  (state, attempt, job_id, attempts, in_doubt, updated_at) = (
    SELECT
      CASE WHEN free THEN 'sending' ELSE mail.state END,
      CASE WHEN free THEN excluded.attempt ELSE mail.attempt END,
      CASE WHEN free THEN excluded.job_id ELSE mail.job_id END,
      mail.attempts + CASE WHEN free AND mail.attempt <> excluded.attempt THEN 1 ELSE 0 END,
      mail.in_doubt OR (free AND mail.state = 'sending' AND mail.attempt <> excluded.attempt),
      CASE WHEN free THEN now() ELSE mail.updated_at END
    FROM (
      SELECT mail.state = 'released'
        OR mail.state = 'sending'
        AND (mail.job_id = excluded.job_id OR mail.updated_at < now() - interval '1 minute') AS free
    ) AS judged
  )
RETURNING state, attempt, in_doubt, reason
