-- Revokes a user's sessions that were created by an instant, and returns those that the table had.
-- $1 the user, $2 the session to keep, or empty, $3 the instant (ms), $4 ids that Redis has revoked
WITH gone AS (
  DELETE FROM public.user_sessions
  WHERE session_id = ANY ($4)
    OR user_id = $1::uuid AND session_id <> $2 AND floor(extract(epoch FROM signtusk.listed_at(coalesce(created_at, last_used_at))) * 1000) <= $3
  RETURNING session_id
), revoked AS (
  INSERT INTO signtusk.revoked_sessions (session_id)
  SELECT unnest($4) UNION SELECT session_id FROM gone
  ON CONFLICT (session_id) DO NOTHING
)
SELECT ARRAY (SELECT session_id FROM gone) AS also
