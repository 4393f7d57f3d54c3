-- Sessions: what Redis serves, written through, and what is left when Redis is lost.
--
-- The table is the web app's. A database that has it keeps it, rows and all; only missing columns are added. One of
-- the web app's own scripts renames session_id to session_token, although its login goes on writing session_id; where
-- that has been run both columns are there from now on and hold the same, so that either code of the web app works.

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
  -- The end that no use puts off: 30 days after the beginning. Of the web app's own rows it may be null.
  add column if not exists expires_at timestamptz,
  add column if not exists device jsonb,
  -- The refresh tokens before the present one, newest first: the first half of the SHA-256 of each.
  add column if not exists rotated_hashes text[] not null default '{}',
  add column if not exists rotated_at timestamptz,
  -- Grows with every change but the time of the last use. What is older than the row does not change it.
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

  -- The table holds hashes of refresh tokens: nothing of it is for the web app's visitors.
  alter table public.user_sessions enable row level security;
  foreach visitor in array array['anon', 'authenticated'] loop
    if exists (select from pg_roles where rolname = visitor) then
      execute format('revoke all on public.user_sessions from %I', visitor);
    end if;
  end loop;
end
$$;

create index if not exists user_sessions_of_user on public.user_sessions (user_id, last_used_at desc);
-- What clean-up looks for.
create index if not exists user_sessions_by_last_use on public.user_sessions (last_used_at);
create index if not exists user_sessions_by_beginning on public.user_sessions (created_at);

-- Sessions that were revoked. A row here outweighs one in user_sessions, which a writer who was on his way may still
-- put there. It is kept for as long as a session can live, and then a day.
create table if not exists signtusk.revoked_sessions (
  session_id text primary key,
  revoked_at timestamptz not null default now(),
  kept_until timestamptz not null default now() + interval '31 days'
);

create index if not exists revoked_sessions_by_end on signtusk.revoked_sessions (kept_until);

alter table signtusk.revoked_sessions enable row level security;

-- The sessions that live, as the functions read them: instants in milliseconds, what the web app left out filled in.
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
    -- What has not begun yet is no session: an instant that is infinite or far would keep it for ever.
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
