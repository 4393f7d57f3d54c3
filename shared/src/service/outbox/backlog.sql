SELECT
  coalesce(greatest(extract(epoch FROM now() - (
    SELECT min(due_at) FROM signtusk.outbox WHERE published_at IS NULL AND set_aside_at IS NULL
  )), 0), 0)::bigint AS oldest,
  -- Counted no further than anybody would read.
  (SELECT count(*) FROM (SELECT FROM signtusk.outbox WHERE set_aside_at IS NOT NULL LIMIT 1000) AS few) AS set_aside
