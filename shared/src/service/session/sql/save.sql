-- Writes a session if it is newer than the row and not revoked; at a login, also revokes sessions beyond the limit.
-- $1 the session, $2 ids that Redis has revoked because of the limit, $3 how many others its user may have (null: not
-- checked), $4 whether it is new, and must not change an existing row
WITH given AS (
  SELECT * FROM jsonb_to_record($1) AS given (
    "sessionId" text, "userId" uuid, email text, "refreshHash" text, "createdAt" bigint, "lastUsedAt" bigint,
    "endsAt" bigint, version bigint, "ipAddress" text, "userAgent" text, device jsonb, "totpVerifiedAt" bigint,
    "totpContext" text, rotated text, "rotatedAt" bigint)
), beyond AS (
  SELECT session_id FROM (
    SELECT live.session_id, row_number() OVER (ORDER BY last_used_at DESC, live.session_id) AS place
    FROM signtusk.live_sessions AS live, given
    WHERE $3::bigint IS NOT NULL AND user_id = "userId" AND live.session_id <> "sessionId"
      AND live.session_id <> ALL ($2)
  ) AS others WHERE place > $3
), gone AS (
  DELETE FROM public.user_sessions
  WHERE session_id = ANY ($2) OR session_id IN (SELECT session_id FROM beyond)
), revoked AS (
  INSERT INTO signtusk.revoked_sessions (session_id)
  SELECT unnest($2) UNION SELECT session_id FROM beyond
  ON CONFLICT (session_id) DO NOTHING
), written AS (
  INSERT INTO public.user_sessions AS kept (
    session_id, user_id, email, refresh_token_hash, created_at, last_used_at, user_agent, ip_address, totp_verified,
    totp_verified_at, totp_context, expires_at, device, rotated_hashes, rotated_at, session_version)
  SELECT "sessionId", "userId", email, "refreshHash", to_timestamp("createdAt" / 1000.0),
    to_timestamp("lastUsedAt" / 1000.0), "userAgent", "ipAddress", "totpVerifiedAt" IS NOT NULL,
    to_timestamp("totpVerifiedAt" / 1000.0), "totpContext", to_timestamp("endsAt" / 1000.0), device,
    ARRAY (SELECT (regexp_matches(rotated, '.{32}', 'g'))[1]), to_timestamp("rotatedAt" / 1000.0), version
  FROM given
  WHERE NOT EXISTS (SELECT FROM signtusk.revoked_sessions AS revoked WHERE revoked.session_id = "sessionId")
  ON CONFLICT (session_id) DO UPDATE SET
    refresh_token_hash = excluded.refresh_token_hash,
    last_used_at = greatest(kept.last_used_at, excluded.last_used_at),
    totp_verified = excluded.totp_verified,
    totp_verified_at = excluded.totp_verified_at,
    totp_context = excluded.totp_context,
    expires_at = excluded.expires_at,
    device = excluded.device,
    rotated_hashes = excluded.rotated_hashes,
    rotated_at = excluded.rotated_at,
    session_version = excluded.session_version
  WHERE NOT $4 AND kept.session_version < excluded.session_version
)
SELECT
  EXISTS (SELECT FROM signtusk.revoked_sessions AS revoked WHERE revoked.session_id = "sessionId") AS revoked,
  -- Whether an existing row is another session.
  EXISTS (
    SELECT FROM public.user_sessions AS kept
    WHERE kept.session_id = "sessionId" AND (kept.user_id <> "userId" OR kept.refresh_token_hash <> "refreshHash")
  ) AS differs,
  ARRAY (SELECT session_id FROM beyond) AS also
FROM given
