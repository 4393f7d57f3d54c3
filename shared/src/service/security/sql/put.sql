-- $1 network, $2 reason, $3 author, $4 end (microseconds since 1970)
WITH over AS (
  DELETE FROM signtusk.blocked_networks WHERE network IN (
    SELECT network FROM signtusk.blocked_networks
    WHERE expires_at < now() AND network <> $1::text::cidr
    LIMIT 100 FOR UPDATE SKIP LOCKED)
  RETURNING network::text
), listed AS (
  INSERT INTO signtusk.blocked_networks AS listed (network, reason, author, expires_at)
  VALUES ($1::text::cidr, $2, $3, timestamptz 'epoch' + $4 * interval '1 microsecond')
  ON CONFLICT (network) DO UPDATE
    SET reason = excluded.reason, author = excluded.author, expires_at = excluded.expires_at
  RETURNING *
)
SELECT json_build_object('cidr', network::text, 'reason', reason, 'author', author,
    'expiresAt', expires_at, 'createdAt', created_at) AS item,
  (SELECT coalesce(json_agg(network), '[]') FROM over) AS over
FROM listed
