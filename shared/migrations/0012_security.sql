-- Security monitoring: the security events, and the block list.

create table if not exists signtusk.security_events (
  -- The id of the event, so that repeating it writes it once.
  id text primary key check (length(id) between 1 and 200),
  event_type text not null check (event_type ~ '^[a-z][a-z_]{0,63}$'),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  -- The account, as named by the attempt: a user's id or an address.
  identifier text check (length(identifier) <= 320),
  ip text check (length(ip) <= 64),
  user_agent text check (length(user_agent) <= 512),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  created_at timestamptz not null default now()
);

create index if not exists security_events_by_time on signtusk.security_events (created_at);
create index if not exists security_events_of on signtusk.security_events (identifier, created_at)
  where identifier is not null;

create table if not exists signtusk.blocked_networks (
  network cidr primary key,
  reason text not null check (length(reason) between 1 and 500),
  -- The acting user; null if the service itself added the entry.
  author text check (length(author) between 1 and 320),
  -- The end of the block; null if it stays until it is removed.
  expires_at timestamptz,
  created_at timestamptz not null default now()
);

create index if not exists blocked_networks_by_time on signtusk.blocked_networks (created_at, (network::text));
create index if not exists blocked_networks_over on signtusk.blocked_networks (expires_at)
  where expires_at is not null;

alter table signtusk.security_events enable row level security;
alter table signtusk.blocked_networks enable row level security;

-- Writes an event, also to the audit log, and mails the account's owner if `mail` is given. It is one transaction, and
-- has no effect for a known id. `mail` is the payload of an e-mail job, with or without a recipient. The default
-- recipient is the address of the user whose id is the identifier.
create or replace function signtusk.record_security_event(
  id text, event_type text, severity text, identifier text, ip text, user_agent text, details jsonb, mail jsonb
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_variable
declare
  recipient text;
  job uuid;
begin
  insert into signtusk.security_events (id, event_type, severity, identifier, ip, user_agent, details)
  values (id, event_type, severity, identifier, ip, left(user_agent, 512), coalesce(details, '{}'))
  on conflict do nothing;
  if not found then
    return null;
  end if;
  perform public.signtusk_append_audit_event(jsonb_strip_nulls(jsonb_build_object(
    'eventId', id, 'action', event_type, 'resourceType', 'security',
    'resourceId', coalesce(identifier, details ->> 'network'), 'details', details,
    'ipAddress', ip, 'userAgent', left(user_agent, 512))));
  if mail is not null then
    recipient := coalesce(mail ->> 'to',
      (select profile.email from public.user_profiles profile where profile.id = signtusk.uuid_of(identifier)));
    if recipient is not null then
      job := public.signtusk_enqueue_job('email', mail || jsonb_build_object('to', recipient), priority => 'high');
    end if;
  end if;
  return job;
end
$$;

revoke all on function signtusk.record_security_event(text, text, text, text, text, text, jsonb, jsonb) from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  ours text;
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant execute on function '
      'signtusk.record_security_event(text, text, text, text, text, text, jsonb, jsonb) to %I', functions);
    execute format('grant select on signtusk.security_events to %I', functions);
    execute format('grant select, insert, update, delete on signtusk.blocked_networks to %I', functions);
    foreach ours in array array['security_events', 'blocked_networks'] loop
      if not exists (
        select from pg_policies
        where schemaname = 'signtusk' and tablename = ours and policyname = 'signtusk functions'
      ) then
        execute format('create policy "signtusk functions" on signtusk.%I to %I using (true) with check (true)',
          ours, functions);
      end if;
    end loop;
  end if;
end
$$;
