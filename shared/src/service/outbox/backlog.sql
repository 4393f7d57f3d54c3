SELECT
  coalesce(greatest(extract(epoch FROM now() - (
    SELECT min(due_at) FROM signtusk.outbox WHERE published_at IS NULL AND set_aside_at IS NULL
  )), 0), 0)::bigint AS oldest,
  -- The count is bounded: larger numbers are not useful.
  (SELECT count(*) FROM (SELECT FROM signtusk.outbox WHERE set_aside_at IS NOT NULL LIMIT 1000) AS few) AS set_aside
