WITH found AS (
  SELECT coalesce(
    (SELECT key FROM signtusk.email_ledger WHERE key = $3),
    (SELECT key FROM signtusk.email_ledger WHERE message_ids @> ARRAY[nullif($4, '')] LIMIT 1)
  ) AS key
), event AS (
  INSERT INTO signtusk.email_events (provider, event_id, key, message_id, type, at, detail)
  SELECT $1, $2, coalesce(found.key, $3), $4, $5, timestamptz 'epoch' + $6 * interval '1 microsecond', $7
  FROM found
  ON CONFLICT (provider, event_id) DO NOTHING
  RETURNING key, type, at
), suppressed AS (
  INSERT INTO signtusk.email_suppressions (address, reason, source)
  -- The address that was mailed, if it is known: a provider may name one that it forwards to.
  SELECT DISTINCT lower(address), $8, $1 || ' event ' || $2
  FROM event
  LEFT JOIN signtusk.email_ledger AS mailed ON mailed.key = event.key AND mailed.recipient IS NOT NULL
  CROSS JOIN LATERAL unnest(CASE WHEN mailed.key IS NULL THEN $9 ELSE ARRAY[mailed.recipient] END) AS address
  WHERE $8 IS NOT NULL
  ON CONFLICT (address, reason) DO NOTHING
), settled AS (
  UPDATE signtusk.email_ledger AS mail SET
    state = 'accepted',
    reason = NULL,
    provider = coalesce(mail.provider, $1),
    (message_ids, message_id, doubled, in_doubt) = (
      SELECT ids, ids[1], cardinality(ids) > 1,
        mail.in_doubt AND cardinality(ids) < 2
          AND NOT coalesce(event.at > mail.sending_since + interval '1 hour', false)
      FROM (
        SELECT ARRAY(
          SELECT DISTINCT id FROM unnest(mail.message_ids || $4) AS id WHERE id <> '' ORDER BY id
        ) AS ids
      ) AS known
    ),
    accepted_at = least(mail.accepted_at, event.at),
    delayed_at = least(mail.delayed_at, CASE WHEN event.type = 'delayed' THEN event.at END),
    delivered_at = least(mail.delivered_at, CASE WHEN event.type IN ('delivered', 'opened', 'clicked') THEN event.at END),
    opened_at = least(mail.opened_at, CASE WHEN event.type IN ('opened', 'clicked') THEN event.at END),
    bounced_at = least(mail.bounced_at, CASE WHEN event.type = 'bounced' THEN event.at END),
    soft_bounced_at = least(mail.soft_bounced_at, CASE WHEN event.type = 'soft-bounced' THEN event.at END),
    complained_at = least(mail.complained_at, CASE WHEN event.type = 'complained' THEN event.at END),
    failed_at = least(mail.failed_at, CASE WHEN event.type = 'failed' THEN event.at END),
    last_event_at = greatest(mail.last_event_at, event.at),
    updated_at = now()
  FROM event
  WHERE mail.key = event.key
  RETURNING mail.key
)
SELECT EXISTS (SELECT FROM event) AS is_new, EXISTS (SELECT FROM settled) AS is_known
