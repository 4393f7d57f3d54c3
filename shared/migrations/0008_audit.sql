-- Audit events: append-only, and hash-chained so that a change is detected.
--
-- An event is written once, as text in canonical form (RFC 8785, JCS): its content, its position in its chain, and the
-- hash of the previous event. Its own hash is the SHA-256 of that text. Every other column of the row is derived from
-- the text, so that a changed column is detected as well as a changed text. Older rows have none of the columns that
-- are added here, and do not change.
--
-- The chains: `request:{requestId}` for events of a signing request, else `user:{userId}` for actions of a user, else
-- one of sixteen `system:{0-f}`, by the hash of the event's id. Writers of one chain wait for each other until their
-- transactions end; so there is no common chain for all events.

do $$
begin
  if to_regclass('public.audit_logs') is null then
    create table public.audit_logs (
      id uuid primary key default gen_random_uuid(),
      action text not null
    );
    alter table public.audit_logs enable row level security;
  end if;
end
$$;

alter table public.audit_logs
  add column if not exists id uuid default gen_random_uuid(),
  add column if not exists user_id text,
  add column if not exists action text,
  add column if not exists resource_type text,
  add column if not exists resource_id text,
  add column if not exists details jsonb,
  add column if not exists metadata jsonb,
  add column if not exists ip_address text,
  add column if not exists user_agent text,
  add column if not exists created_at timestamptz default now(),
  -- Only for chained rows.
  add column if not exists event_id text,
  add column if not exists request_id text,
  -- The domain of the user who acted; its administrators may see the event.
  add column if not exists domain text,
  add column if not exists chain text,
  add column if not exists sequence bigint,
  add column if not exists previous_hash text,
  add column if not exists hash text,
  -- When it was written, by this server's clock; `created_at` is the time of the event, according to the writer.
  add column if not exists recorded_at timestamptz,
  add column if not exists canonical text;

-- An event names users and requests that may be deleted or unknown: a foreign key must not reject the event, or delete
-- it with the referenced row. Many members of an event are optional.
do $$
declare
  constraint_name name;
  optional text;
begin
  for constraint_name in
    select conname from pg_constraint where conrelid = 'public.audit_logs'::regclass and contype = 'f'
  loop
    execute format('alter table public.audit_logs drop constraint %I', constraint_name);
  end loop;
  foreach optional in array
    array['user_id', 'resource_type', 'resource_id', 'details', 'metadata', 'ip_address', 'user_agent']
  loop
    execute format('alter table public.audit_logs alter column %I drop not null', optional);
  end loop;
end
$$;

create unique index if not exists audit_logs_event on public.audit_logs (event_id) where event_id is not null;
create unique index if not exists audit_logs_chain on public.audit_logs (chain, sequence) where chain is not null;
-- Older rows may have no instant, or an infinite one: lists are ordered by the displayed instant.
create index if not exists audit_logs_listed on public.audit_logs (signtusk.listed_at(created_at), (id::text));
create index if not exists audit_logs_listed_of_request
  on public.audit_logs (request_id, signtusk.listed_at(created_at), (id::text)) where request_id is not null;
create index if not exists audit_logs_listed_of_user
  on public.audit_logs ((user_id::text), signtusk.listed_at(created_at), (id::text));
create index if not exists audit_logs_listed_of_domain
  on public.audit_logs (domain, signtusk.listed_at(created_at), (id::text)) where domain is not null;
drop index if exists public.audit_logs_by_time, public.audit_logs_of_request, public.audit_logs_of_user,
  public.audit_logs_of_domain;
-- For the retention of these rows.
create index if not exists audit_logs_unchained_by_time on public.audit_logs (created_at) where chain is null;
create index if not exists audit_logs_recorded on public.audit_logs (recorded_at, chain) where chain is not null;
create index if not exists audit_logs_unchained on public.audit_logs ((resource_id::text), created_at)
  where chain is null;

-- The end of each chain. A writer locks the row, so that a chain cannot fork.
create table if not exists signtusk.audit_chains (
  chain text primary key,
  -- The position of the last event; 0 before the first one.
  sequence bigint not null default 0,
  hash text not null default repeat('0', 64),
  -- The last event that retention has deleted; the next event names its hash as the previous one.
  retired_sequence bigint not null default 0,
  retired_hash text not null default repeat('0', 64),
  -- The checkpoint of the deleted events, in canonical form, and its HMAC-SHA-256 under a key that the database does
  -- not have.
  checkpoint text,
  signature text
);

alter table signtusk.audit_chains enable row level security;

-- The days for which nothing is deleted, for any caller. Only the owning role changes them.
create table if not exists signtusk.retention (
  what text primary key check (what in ('audit', 'requests')),
  days integer not null check (days >= 1)
);

alter table signtusk.retention enable row level security;

insert into signtusk.retention (what, days) values ('audit', 2555), ('requests', 2555) on conflict (what) do nothing;

-- Returns a number in the form of RFC 8785 section 3.2.2.3: the fewest digits that parse to the same double, formatted
-- like ECMAScript's Number::toString. PostgreSQL finds the fewest digits between a double's bounds, but excludes the
-- bounds themselves. A parser that rounds to even maps them to the double as well (1e23), and they have one digit less.
create or replace function signtusk.canonical_number(value numeric) returns text
language plpgsql immutable strict parallel safe set search_path = '' set extra_float_digits = 1 as $$
declare
  written text;
  mantissa text;
  whole text;
  digits text;
  fewer text;
  point integer;
  minus text := '';
begin
  if value = trunc(value) and abs(value) < 1e15 then
    return value::bigint::text;
  end if;
  -- Below half of the smallest double, a parser rounds to zero, and PostgreSQL raises an error.
  if abs(value) <= 2.4703282292062327e-324 then
    return '0';
  end if;
  written := value::float8::text;
  if written like '-%' then
    minus := '-';
    written := substr(written, 2);
  end if;
  mantissa := split_part(written, 'e', 1);
  whole := split_part(mantissa, '.', 1);
  digits := whole || split_part(mantissa, '.', 2);
  -- The position of the point, counted from the first digit that is not zero.
  point := length(whole) + coalesce(nullif(split_part(written, 'e', 2), '')::integer, 0)
    - (length(digits) - length(ltrim(digits, '0')));
  digits := trim(both '0' from digits);
  if digits = '' then
    return '0';
  end if;
  foreach fewer in array case when length(digits) > 15 and abs(value) < 1e308
    then array[left(digits, -1), (left(digits, -1)::numeric + 1)::text] else array[]::text[] end
  loop
    if (fewer || 'e' || (point - length(digits) + 1))::float8 = abs(value)::float8 then
      -- One more digit: nines were rounded to a one and zeros.
      point := point + length(fewer) - (length(digits) - 1);
      digits := rtrim(fewer, '0');
      exit;
    end if;
  end loop;
  return minus || case
    when length(digits) <= point and point <= 21 then rpad(digits, point, '0')
    when 0 < point and point <= 21 then left(digits, point) || '.' || substr(digits, point + 1)
    when -6 < point and point <= 0 then '0.' || repeat('0', -point) || digits
    else left(digits, 1) || case when length(digits) > 1 then '.' || substr(digits, 2) else '' end
      || 'e' || case when point > 0 then '+' else '-' end || abs(point - 1)::text
  end;
end
$$;

-- Returns the key by which a member's name is sorted in binary order, so that the order is that of UTF-16 code units
-- (RFC 8785 section 3.2.3): there, characters beyond U+FFFF precede those from U+E000 on.
create or replace function signtusk.utf16_order(name text) returns text
language sql immutable strict parallel safe set search_path = '' as $$
  select case when octet_length(name) = length(name) then name
    else regexp_replace(regexp_replace(name, '\U0010FFFF', U&'\+10FFFFa', 'g'),
      '([\uE000-\uFFFF])', U&'\+10FFFFb\\1', 'g')
  end
$$;

-- Returns JSON in canonical form (RFC 8785). PostgreSQL escapes strings as required there.
create or replace function signtusk.canonical_json(value jsonb) returns text
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  case jsonb_typeof(value)
    when 'object' then
      return '{' || coalesce((
        select string_agg(
          to_json(name)::text || ':' || case jsonb_typeof(member)
            -- Avoids a recursive call for the most frequent type.
            when 'string' then to_json(member #>> '{}')::text
            else signtusk.canonical_json(member)
          end,
          ',' order by signtusk.utf16_order(name) collate "C")
        from jsonb_each(value) as members (name, member)
      ), '') || '}';
    when 'array' then
      return '[' || coalesce((
        select string_agg(signtusk.canonical_json(item), ',' order by place)
        from jsonb_array_elements(value) with ordinality as items (item, place)
      ), '') || ']';
    when 'string' then
      return to_json(value #>> '{}')::text;
    when 'number' then
      return signtusk.canonical_number((value #>> '{}')::numeric);
    else
      return value::text;
  end case;
end
$$;

-- Returns an instant in the format of events.
create or replace function signtusk.audit_instant(at timestamptz) returns text
language sql stable strict parallel safe set search_path = '' set timezone = 'UTC' as $$
  select to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- Returns a text member of an event; null if it is absent or empty.
create or replace function signtusk.audit_member(event jsonb, name text, longest integer) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  value text := nullif(event ->> name, '');
begin
  if jsonb_typeof(event -> name) in ('object', 'array') then
    raise exception 'audit event: % is a text', name using errcode = '22023';
  end if;
  if length(value) > longest then
    raise exception 'audit event: % is longer than % characters', name, longest using errcode = '22023';
  end if;
  return value;
end
$$;

-- Returns the value, if a column of that type can store it. An existing table may have a `uuid` or an `inet` instead of
-- a text; a value that does not fit is only in the event's text.
create or replace function signtusk.audit_fitting(value text, named text) returns text
language plpgsql stable parallel safe set search_path = '' as $$
declare
  type oid;
begin
  select atttypid into type from pg_attribute where attrelid = 'public.audit_logs'::regclass and attname = named;
  if value is null or type in ('text'::regtype, 'varchar'::regtype) then
    return value;
  end if;
  execute format('select %L::%s', value, type::regtype);
  return value;
exception when data_exception then
  return null;
end
$$;

-- Returns the columns of an event, from its text alone.
create or replace function signtusk.audit_columns(canonical text) returns jsonb
language sql stable strict parallel safe set search_path = '' as $$
  select jsonb_build_object(
    'event_id', event -> 'eventId', 'chain', event -> 'chain', 'sequence', event -> 'sequence',
    'previous_hash', event -> 'previousHash', 'recorded_at', event -> 'recordedAt', 'created_at', event -> 'at',
    'request_id', event -> 'requestId', 'domain', event -> 'domain', 'action', event -> 'action',
    'resource_type', event -> 'resourceType', 'user_agent', event -> 'userAgent',
    'user_id', signtusk.audit_fitting(event ->> 'userId', 'user_id'),
    'resource_id', signtusk.audit_fitting(event ->> 'resourceId', 'resource_id'),
    'ip_address', signtusk.audit_fitting(event ->> 'ipAddress', 'ip_address'),
    'details', event -> 'details', 'metadata', event -> 'metadata',
    'canonical', canonical, 'hash', encode(sha256(convert_to(canonical, 'UTF8')), 'hex'))
  from (select canonical::jsonb as event) as parsed
$$;

-- Appends an event to its chain in the caller's transaction, and returns `{"eventId", "chain", "sequence", "hash",
-- "repeated"}`. For the functions, for the web app's server side and for triggers.
--
-- `event` has `action` and `resourceType`, and may have `eventId`, `userId`, `domain`, `resourceId`, `requestId`
-- (default: the resourceId of a `signing_request`), `details` and `metadata` (any JSON), `ipAddress`, `userAgent` (cut
-- at 2,048 characters) and `timestamp` (milliseconds since 1970, or RFC 3339, at most five minutes in the future;
-- default: now). Other members are omitted. The same `eventId` again changes nothing and returns the first answer with
-- `repeated`: true.
--
-- This function writes the canonical text itself and does not rely on the writer's. Numbers are doubles, as in RFC
-- 8785; pass numbers with more digits as strings. SQLSTATE 22023 reports an invalid event.
create or replace function public.signtusk_append_audit_event(event jsonb) returns jsonb
language plpgsql volatile security definer set search_path = '' set timezone = 'UTC' as $$
declare
  own_id text := coalesce(signtusk.audit_member(event, 'eventId', 320), signtusk.uuid_v7()::text);
  who text := signtusk.normal_id(signtusk.audit_member(event, 'userId', 320));
  action text := signtusk.audit_member(event, 'action', 100);
  resource_type text := signtusk.audit_member(event, 'resourceType', 100);
  resource_id text := signtusk.normal_id(signtusk.audit_member(event, 'resourceId', 320));
  request text := coalesce(signtusk.normal_id(signtusk.audit_member(event, 'requestId', 320)),
    case when resource_type = 'signing_request' then resource_id end);
  happened timestamptz := now();
  of_chain text;
  head signtusk.audit_chains;
  known jsonb;
  canonical text;
  entry_hash text;
begin
  if jsonb_typeof(event) is distinct from 'object' or action is null or resource_type is null then
    raise exception 'audit event: an object with action and resourceType' using errcode = '22023';
  end if;
  if not signtusk.is_readable(event) then
    raise exception 'audit event: nested deeper than 100 levels, or a number larger than a double'
      using errcode = '22023';
  end if;
  begin
    if jsonb_typeof(event -> 'timestamp') = 'number' then
      happened := to_timestamp((event ->> 'timestamp')::float8 / 1000);
    elsif event ->> 'timestamp' <> '' then
      -- PostgreSQL accepts more than RFC 3339 as an instant: 'tomorrow', a date, a time without a zone.
      if event ->> 'timestamp'
        !~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d([.,]\d+)?([Zz]|[+-]\d\d(:?\d\d)?)(\[[!-~]*\])?$'
      then
        raise exception using errcode = '22007';
      end if;
      happened := regexp_replace(event ->> 'timestamp', '\[.*$', '')::timestamptz;
    end if;
    if happened not between timestamptz 'epoch' and timestamptz '9999-12-30' then
      raise exception using errcode = '22008';
    end if;
  exception when data_exception then
    raise exception 'audit event: timestamp is milliseconds since 1970 or RFC 3339' using errcode = '22023';
  end;
  if happened > now() + interval '5 minutes' then
    raise exception 'audit event: timestamp is more than five minutes in the future' using errcode = '22023';
  end if;

  of_chain := coalesce('request:' || request, 'user:' || who,
    'system:' || left(encode(sha256(convert_to(own_id, 'UTF8')), 'hex'), 1));
  insert into signtusk.audit_chains (chain) values (of_chain) on conflict do nothing;
  select * into strict head from signtusk.audit_chains where chain = of_chain for update;

  select jsonb_object_agg(name, value) into known
  from (values
    ('eventId', to_jsonb(own_id)),
    ('chain', to_jsonb(of_chain)),
    ('sequence', to_jsonb(head.sequence + 1)),
    ('previousHash', to_jsonb(head.hash)),
    ('recordedAt', to_jsonb(signtusk.audit_instant(clock_timestamp()))),
    ('at', to_jsonb(signtusk.audit_instant(happened))),
    ('action', to_jsonb(action)),
    ('resourceType', to_jsonb(resource_type)),
    ('resourceId', to_jsonb(resource_id)),
    ('requestId', to_jsonb(request)),
    ('userId', to_jsonb(who)),
    ('domain', to_jsonb(nullif(signtusk.normal(signtusk.audit_member(event, 'domain', 320)), ''))),
    ('ipAddress', to_jsonb(signtusk.audit_member(event, 'ipAddress', 100))),
    ('userAgent', to_jsonb(left(event ->> 'userAgent', 2048))),
    ('details', nullif(event -> 'details', 'null')),
    ('metadata', nullif(event -> 'metadata', 'null'))
  ) as members (name, value)
  where value is not null;
  canonical := signtusk.canonical_json(known);
  if octet_length(canonical) > 65536 then
    raise exception 'audit event: larger than 64 KB' using errcode = '22023';
  end if;

  insert into public.audit_logs as entry (event_id, chain, sequence, previous_hash, hash, canonical, recorded_at,
    created_at, request_id, domain, user_id, action, resource_type, resource_id, details, metadata, ip_address,
    user_agent)
  select written.event_id, written.chain, written.sequence, written.previous_hash, written.hash, written.canonical,
    written.recorded_at, written.created_at, written.request_id, written.domain, written.user_id, written.action,
    written.resource_type, written.resource_id, written.details, written.metadata, written.ip_address,
    written.user_agent
  from jsonb_populate_record(null::public.audit_logs, signtusk.audit_columns(canonical)) as written
  on conflict (event_id) where event_id is not null do nothing
  returning entry.hash into entry_hash;
  if entry_hash is null then
    -- Another transaction may have written it after this statement began: a new statement sees it.
    return (
      select jsonb_build_object('eventId', entry.event_id, 'chain', entry.chain, 'sequence', entry.sequence,
        'hash', entry.hash, 'repeated', true)
      from public.audit_logs as entry where entry.event_id = own_id
    );
  end if;
  update signtusk.audit_chains set sequence = head.sequence + 1, hash = entry_hash where chain = of_chain;
  return jsonb_build_object('eventId', own_id, 'chain', of_chain, 'sequence', head.sequence + 1, 'hash', entry_hash,
    'repeated', false);
end
$$;

-- Deletes the events of a chain up to `through`, and stores a signed checkpoint in their place, from which the chain
-- continues. It never deletes events younger than the days of `signtusk.retention`, or events of a chain with a gap,
-- which is evidence. Returns the number of events.
create or replace function signtusk.retire_audit_events(of_chain text, through bigint, checkpoint text, signature text)
returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare
  head signtusk.audit_chains;
  last_hash text;
  removed bigint;
begin
  select * into strict head from signtusk.audit_chains where chain = of_chain for update;
  if through <= head.retired_sequence then
    return 0;
  end if;
  select hash into last_hash from public.audit_logs where chain = of_chain and sequence = through;
  if checkpoint::jsonb ->> 'chain' is distinct from of_chain
    or (checkpoint::jsonb ->> 'sequence')::bigint is distinct from through
    or checkpoint::jsonb ->> 'hash' is distinct from last_hash
    or signature !~ '^[0-9a-f]{64}$'
  then
    raise exception 'the checkpoint is not that of event % of %', through, of_chain using errcode = '22023';
  end if;
  perform set_config('signtusk.audit_retiring', pg_current_xact_id()::text, true);
  delete from public.audit_logs
  where chain = of_chain and sequence <= through
    and recorded_at < now() - make_interval(days => (select days from signtusk.retention where what = 'audit'));
  get diagnostics removed = row_count;
  perform set_config('signtusk.audit_retiring', '', true);
  if removed <> through - head.retired_sequence then
    raise exception 'events of % up to % are missing, or too young to be removed', of_chain, through
      using errcode = '55000';
  end if;
  update signtusk.audit_chains as chained
  set retired_sequence = through, retired_hash = last_hash,
    checkpoint = retire_audit_events.checkpoint, signature = retire_audit_events.signature
  where chained.chain = of_chain;
  return removed;
end
$$;

-- Deletes rows without a chain under the same rule, at most `most` of them.
create or replace function signtusk.remove_unchained_audit_rows(before timestamptz, most integer)
returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare
  removed bigint;
begin
  perform set_config('signtusk.audit_retiring', pg_current_xact_id()::text, true);
  delete from public.audit_logs
  where ctid in (
    select ctid from public.audit_logs
    where chain is null and created_at < least(before,
      now() - make_interval(days => (select days from signtusk.retention where what = 'audit')))
    order by created_at limit most
  );
  get diagnostics removed = row_count;
  perform set_config('signtusk.audit_retiring', '', true);
  return removed;
end
$$;

-- The log for readers: the same types for any existing table.
create or replace view signtusk.audit_entries as
  select id::text as id, event_id, chain, sequence, previous_hash, hash, canonical, request_id, domain,
    user_id::text as user_id, action::text as action, resource_type::text as resource_type,
    resource_id::text as resource_id, to_jsonb(details) as details, to_jsonb(metadata) as metadata,
    to_jsonb(ip_address) #>> '{}' as ip_address, user_agent::text as user_agent, created_at, recorded_at,
    (extract(epoch from signtusk.bounded(created_at)) * 1000000)::bigint as created_micros,
    (extract(epoch from signtusk.bounded(recorded_at)) * 1000000)::bigint as recorded_micros,
    signtusk.listed_at(created_at) as listed_at
  from public.audit_logs;

-- Rejects changes other than an append by the function above and its retention. The triggers apply to every role that
-- does not disable them. The owning role can: they protect it from accidents, not from intent.
create or replace function signtusk.refuse_audit_change() returns trigger
language plpgsql set search_path = '' as $$
declare
  is_ours boolean := current_user = (
    select pg_get_userbyid(proowner) from pg_proc
    where oid = 'public.signtusk_append_audit_event(jsonb)'::regprocedure
  );
begin
  if tg_op = 'INSERT' and is_ours then
    return new;
  end if;
  if tg_op = 'DELETE' and is_ours
    and current_setting('signtusk.audit_retiring', true) = pg_current_xact_id()::text
  then
    return old;
  end if;
  raise exception 'audit rows are append-only' using errcode = '42501',
    hint = 'Append with public.signtusk_append_audit_event.';
end
$$;

create or replace trigger signtusk_audit_insert before insert on public.audit_logs
  for each row when (new.chain is not null or new.event_id is not null or new.canonical is not null)
  execute function signtusk.refuse_audit_change();
create or replace trigger signtusk_audit_change before update or delete on public.audit_logs
  for each row execute function signtusk.refuse_audit_change();
create or replace trigger signtusk_audit_truncate before truncate on public.audit_logs
  for each statement execute function signtusk.refuse_audit_change();

revoke update, delete, truncate on public.audit_logs from public;
revoke all on function public.signtusk_append_audit_event(jsonb) from public;
revoke all on function signtusk.retire_audit_events(text, bigint, text, text) from public;
revoke all on function signtusk.remove_unchained_audit_rows(timestamptz, integer) from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  who text;
  ours text;
begin
  -- Supabase grants new objects in `public` to these roles by default.
  foreach who in array array['anon', 'authenticated', 'service_role', functions] loop
    if exists (select from pg_roles where rolname = who) then
      execute format('revoke update, delete, truncate on public.audit_logs from %I', who);
      execute format('revoke all on function public.signtusk_append_audit_event(jsonb) from %I', who);
    end if;
  end loop;
  foreach who in array array['service_role', functions] loop
    if exists (select from pg_roles where rolname = who) then
      execute format('grant execute on function public.signtusk_append_audit_event(jsonb) to %I', who);
    end if;
  end loop;
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select on public.audit_logs, signtusk.audit_entries, signtusk.audit_chains, '
      'signtusk.retention to %I', functions);
    execute format('grant execute on function signtusk.retire_audit_events(text, bigint, text, text), '
      'signtusk.remove_unchained_audit_rows(timestamptz, integer) to %I', functions);
    foreach ours in array array['public.audit_logs', 'signtusk.audit_chains', 'signtusk.retention'] loop
      if not exists (
        select from pg_policies
        where (schemaname || '.' || tablename) = ours and policyname = 'signtusk functions read'
      ) then
        execute format('create policy "signtusk functions read" on %s for select to %I using (true)', ours, functions);
      end if;
    end loop;
  end if;
end
$$;
