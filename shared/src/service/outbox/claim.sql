-- $1 kinds, $2 the claim, $3 maximum number of rows, $4 only these ids, or null, $5 seconds until the claim expires
WITH free AS (
  SELECT seq, kind, ordering_key
  FROM signtusk.outbox AS waiting
  WHERE published_at IS NULL AND set_aside_at IS NULL
    AND kind = ANY ($1)
    AND due_at <= now()
    AND (held_until IS NULL OR held_until <= now())
    AND ($4 IS NULL OR id = ANY ($4::uuid[]))
    -- Skip rows that wait for an earlier one of their key: a long queue of them must not hide later rows.
    AND NOT EXISTS (
      SELECT FROM signtusk.outbox AS earlier
      WHERE earlier.published_at IS NULL AND earlier.set_aside_at IS NULL
        AND earlier.ordering_key = waiting.ordering_key AND earlier.kind = waiting.kind
        AND earlier.seq < waiting.seq
        AND (earlier.due_at > now() OR earlier.held_until > now())
    )
  ORDER BY seq
  LIMIT $3
  FOR UPDATE SKIP LOCKED
), taken AS (
  -- A row is claimed with all the earlier ones of its key or not at all, also if another claim runs concurrently.
  SELECT seq FROM free
  WHERE NOT EXISTS (
    SELECT FROM signtusk.outbox AS earlier
    WHERE earlier.published_at IS NULL AND earlier.set_aside_at IS NULL
      AND earlier.ordering_key = free.ordering_key AND earlier.kind = free.kind
      AND earlier.seq < free.seq
      AND earlier.seq NOT IN (SELECT seq FROM free)
  )
)
UPDATE signtusk.outbox AS claimed
SET claim = $2, held_until = now() + $5 * interval '1 second', attempts = attempts + 1
FROM taken
WHERE claimed.seq = taken.seq
RETURNING claimed.seq, id::text, kind, payload::text, ordering_key, job_type, priority, tenant, acting_user, label,
  -- An infinite instant has no milliseconds: one such row must not fail the claim of all.
  (extract(epoch FROM least(greatest(not_before, 'epoch'), '9999-12-30')) * 1000)::bigint AS not_before, attempts
