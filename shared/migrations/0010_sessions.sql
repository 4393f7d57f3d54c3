-- Sessions: the persisted copy of the sessions in Redis, which survives a loss of Redis.
--
-- The table is the web app's. An existing table is kept with its rows; only missing columns are added. One of the web
-- app's own scripts renames session_id to session_token, although its login still writes session_id. If that script was
-- run, both columns exist from now on and have the same value, so that either version of the web app works.

do $$
begin
  if to_regclass('public.user_sessions') is null then
    create table public.user_sessions (
      session_id text primary key,
      user_id uuid not null,
      email text not null,
      refresh_token_hash text not null
    );
  end if;
end
$$;

alter table public.user_sessions
  add column if not exists user_id uuid,
  add column if not exists email text,
  add column if not exists refresh_token_hash text,
  add column if not exists created_at timestamptz default now(),
  add column if not exists last_used_at timestamptz default now(),
  add column if not exists user_agent text,
  add column if not exists ip_address text,
  add column if not exists totp_verified boolean default false,
  add column if not exists totp_verified_at timestamptz,
  add column if not exists totp_context text,
  -- The end that a use does not extend: 30 days after the creation. It may be null in the web app's own rows.
  add column if not exists expires_at timestamptz,
  add column if not exists device jsonb,
  -- The former refresh tokens, newest first: the first half of the SHA-256 of each.
  add column if not exists rotated_hashes text[] not null default '{}',
  add column if not exists rotated_at timestamptz,
  -- Grows with every change except the time of the last use. An older version does not change the row.
  add column if not exists session_version bigint not null default 0;

create or replace function signtusk.name_session() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.session_id := coalesce(new.session_id, new.session_token);
  new.session_token := coalesce(new.session_token, new.session_id);
  return new;
end
$$;

do $$
declare
  visitor text;
begin
  if exists (
    select from information_schema.columns
    where table_schema = 'public' and table_name = 'user_sessions' and column_name = 'session_token'
  ) then
    alter table public.user_sessions add column if not exists session_id text;
    update public.user_sessions set session_id = session_token where session_id is null;
    alter table public.user_sessions alter column session_id set not null;
    create unique index if not exists user_sessions_session_id on public.user_sessions (session_id);
    drop trigger if exists signtusk_name_session on public.user_sessions;
    create trigger signtusk_name_session before insert on public.user_sessions
      for each row execute function signtusk.name_session();
  end if;

  -- The table contains hashes of refresh tokens: the web app's visitors must not read it.
  alter table public.user_sessions enable row level security;
  foreach visitor in array array['anon', 'authenticated'] loop
    if exists (select from pg_roles where rolname = visitor) then
      execute format('revoke all on public.user_sessions from %I', visitor);
    end if;
  end loop;
end
$$;

create index if not exists user_sessions_of_user on public.user_sessions (user_id, last_used_at desc);
-- For the cleanup.
create index if not exists user_sessions_by_last_use on public.user_sessions (last_used_at);
create index if not exists user_sessions_by_beginning on public.user_sessions (created_at);

-- Revoked sessions. A row here takes precedence over one in user_sessions, which a concurrent writer may still insert.
-- It is kept for the maximum life of a session plus one day.
create table if not exists signtusk.revoked_sessions (
  session_id text primary key,
  revoked_at timestamptz not null default now(),
  kept_until timestamptz not null default now() + interval '31 days'
);

create index if not exists revoked_sessions_by_end on signtusk.revoked_sessions (kept_until);

alter table signtusk.revoked_sessions enable row level security;

-- The live sessions, as the functions read them: instants in milliseconds, with defaults for members that the web app
-- omits.
create or replace view signtusk.live_sessions as
  select session_id, user_id, last_used_at, json_build_object(
    'sessionId', session_id,
    'userId', user_id,
    'email', email,
    'refreshHash', refresh_token_hash,
    'createdAt', floor(extract(epoch from begun) * 1000)::bigint,
    'lastUsedAt', floor(extract(epoch from used) * 1000)::bigint,
    'endsAt', floor(extract(epoch from ends) * 1000)::bigint,
    'version', session_version,
    'ipAddress', ip_address,
    'userAgent', user_agent,
    'device', device,
    'totpVerifiedAt', case when totp_verified then floor(extract(epoch from coalesce(signtusk.bounded(totp_verified_at), begun)) * 1000)::bigint end,
    'totpContext', case when totp_verified then coalesce(totp_context, 'login') end,
    'rotated', array_to_string(rotated_hashes, ''),
    'rotatedAt', floor(extract(epoch from signtusk.bounded(rotated_at)) * 1000)::bigint
  ) as record
  from (
    select *,
      signtusk.bounded(coalesce(created_at, last_used_at)) as begun,
      signtusk.bounded(coalesce(last_used_at, created_at)) as used,
      least(expires_at, signtusk.bounded(coalesce(created_at, last_used_at)) + interval '30 days') as ends
    from public.user_sessions
    -- A session in the future is invalid: an infinite or distant instant would keep it forever.
    where coalesce(greatest(created_at, last_used_at) < now() + interval '1 day', false)
  ) as session
  where used > now() - interval '7 days' and ends > now()
    and not exists (select from signtusk.revoked_sessions as revoked where revoked.session_id = session.session_id);

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select, insert, update, delete on public.user_sessions to %I', functions);
    execute format('grant select, insert, update, delete on signtusk.revoked_sessions to %I', functions);
    execute format('grant select on signtusk.live_sessions to %I', functions);
    if not exists (
      select from pg_policies
      where schemaname = 'public' and tablename = 'user_sessions' and policyname = 'signtusk functions'
    ) then
      execute format('create policy "signtusk functions" on public.user_sessions to %I using (true) with check (true)',
        functions);
    end if;
    if not exists (
      select from pg_policies
      where schemaname = 'signtusk' and tablename = 'revoked_sessions' and policyname = 'signtusk functions'
    ) then
      execute format('create policy "signtusk functions" on signtusk.revoked_sessions to %I using (true) with check (true)',
        functions);
    end if;
  end if;
end
$$;
