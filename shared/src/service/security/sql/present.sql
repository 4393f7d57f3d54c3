-- $1 networks; returns for each the millisecond of its end: 0 for never, -1 if it is not listed
SELECT asked.network,
  CASE WHEN listed.network IS NULL THEN -1
    ELSE coalesce((extract(epoch FROM least(listed.expires_at, '9999-12-30')) * 1000)::bigint, 0) END AS ends
FROM unnest($1) AS asked(network)
LEFT JOIN signtusk.blocked_networks AS listed
  ON listed.network = asked.network::cidr AND (listed.expires_at IS NULL OR listed.expires_at > now())
