SELECT key, row_to_json(listed) AS mail
FROM (
  SELECT mail.key, kind, recipient, request_id AS "requestId", signer_id AS "signerId", occurrence,
    job_id AS "jobId", state, reason,
    CASE
      WHEN complained_at IS NOT NULL THEN 'complained'
      WHEN bounced_at IS NOT NULL THEN 'bounced'
      WHEN opened_at IS NOT NULL THEN 'opened'
      WHEN delivered_at IS NOT NULL THEN 'delivered'
      WHEN soft_bounced_at IS NOT NULL THEN 'soft-bounced'
      WHEN failed_at IS NOT NULL THEN 'failed'
      WHEN delayed_at IS NOT NULL THEN 'delayed'
      WHEN state = 'accepted' THEN 'sent'
    END AS delivery,
    (
      SELECT event.detail FROM signtusk.email_events AS event
      WHERE event.key = mail.key AND event.detail IS NOT NULL
      ORDER BY event.at DESC, event.event_id LIMIT 1
    ) AS detail,
    in_doubt
      AND NOT coalesce(last_event_at IS NOT NULL AND sending_since < now() - interval '1 hour', false) AS "inDoubt",
    doubled, provider, message_id AS "messageId", message_ids AS "messageIds",
    created_at AS "createdAt", accepted_at AS "acceptedAt", delayed_at AS "delayedAt",
    delivered_at AS "deliveredAt", opened_at AS "openedAt", soft_bounced_at AS "softBouncedAt",
    bounced_at AS "bouncedAt", complained_at AS "complainedAt", failed_at AS "failedAt"
  FROM signtusk.email_ledger AS mail
  WHERE ($1 IS NULL OR request_id = $1)
    AND ($2 IS NULL OR lower(recipient) = lower($2))
    AND ($3 IS NULL OR job_id = $3)
    AND ($4 IS NULL OR (created_at, key) < (timestamptz 'epoch' + $4 * interval '1 microsecond', $5))
  ORDER BY created_at DESC, key DESC
  LIMIT $6
) AS listed
