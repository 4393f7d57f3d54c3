-- $1 the network to continue after (none: from the beginning), $2 the number of rows
SELECT network::text AS network,
  coalesce((extract(epoch FROM least(expires_at, '9999-12-30')) * 1000)::bigint, 0) AS ends
FROM signtusk.blocked_networks
WHERE ($1 IS NULL OR network > $1::cidr) AND (expires_at IS NULL OR expires_at > now())
ORDER BY network
LIMIT $2
