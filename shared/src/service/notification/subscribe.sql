WITH put AS (
  INSERT INTO signtusk.push_subscriptions AS known (user_id, endpoint, p256dh, auth, expires_at)
  VALUES ($1::uuid, $2, $3, $4, timestamptz 'epoch' + $5 * interval '1 millisecond')
  ON CONFLICT (endpoint) DO UPDATE SET
    user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, expires_at = excluded.expires_at,
    created_at = CASE WHEN known.user_id = excluded.user_id THEN known.created_at ELSE now() END,
    updated_at = now()
  RETURNING id, created_at = updated_at AS is_new
), surplus AS (
  DELETE FROM signtusk.push_subscriptions
  WHERE user_id = $1::uuid AND endpoint <> $2 AND id NOT IN (
    SELECT id FROM signtusk.push_subscriptions
    WHERE user_id = $1::uuid AND endpoint <> $2
    ORDER BY updated_at DESC, id LIMIT 19
  )
)
SELECT id::text AS id, is_new FROM put
