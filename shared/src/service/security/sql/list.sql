SELECT json_build_object('cidr', network::text, 'reason', reason, 'author', author,
  'expiresAt', expires_at, 'createdAt', created_at) AS item
FROM signtusk.blocked_networks
WHERE (expires_at IS NULL OR expires_at > now())
  AND ($1 IS NULL OR (created_at, network::text) < (timestamptz 'epoch' + $1 * interval '1 microsecond', $2))
ORDER BY created_at DESC, network::text DESC
LIMIT $3
