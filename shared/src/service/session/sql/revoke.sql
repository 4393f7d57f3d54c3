-- Revokes sessions, whether or not the table has them. $1 their ids
WITH gone AS (
  DELETE FROM public.user_sessions WHERE session_id = ANY ($1)
)
INSERT INTO signtusk.revoked_sessions (session_id) SELECT DISTINCT unnest($1)
ON CONFLICT (session_id) DO NOTHING
