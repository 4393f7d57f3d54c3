-- Records the last use of a session.
-- $1 its id, $2 the instant (ms)
WITH touched AS (
  UPDATE public.user_sessions SET last_used_at = greatest(last_used_at, to_timestamp($2 / 1000.0))
  WHERE session_id = $1
  RETURNING session_id
)
SELECT EXISTS (SELECT FROM touched) AS touched,
  EXISTS (SELECT FROM signtusk.revoked_sessions WHERE session_id = $1) AS revoked
