-- The functions' own schema, and the rights of their role. The setting `signtusk.functions_role` names the role (`set
-- signtusk.functions_role = 'name'` before the migrations, or on the database); the default is `functions`. If it does
-- not exist, nothing is granted. Visitors of a Supabase project have no access to this schema.

create schema if not exists signtusk;
revoke all on schema signtusk from public;

-- Returns the instant by which lists are ordered and displayed. The web app's columns may contain null, or an instant
-- that callers cannot represent. Null counts as 1970; an infinite or distant one as the first or last day of the years
-- 1 to 9999. It is one expression, so that a list, its index and its cursor agree.
create or replace function signtusk.listed_at(at timestamptz) returns timestamptz
language sql immutable parallel safe
return case when at is null then timestamptz '1970-01-01 00:00:00+00'
  else least(greatest(at, timestamptz '0001-01-02 00:00:00+00'), timestamptz '9999-12-30 00:00:00+00') end;

-- Returns the same, except that null stays null.
create or replace function signtusk.bounded(at timestamptz) returns timestamptz
language sql immutable parallel safe
return case when at is not null then signtusk.listed_at(at) end;

-- Returns the same for a column without a time zone, which an older table may have: its instants are UTC.
create or replace function signtusk.listed_at(at timestamp) returns timestamptz
language sql immutable parallel safe
return signtusk.listed_at(at at time zone 'UTC');

create or replace function signtusk.bounded(at timestamp) returns timestamptz
language sql immutable parallel safe
return signtusk.bounded(at at time zone 'UTC');

-- Returns whether every JSON parser can read the value. `jsonb` also allows deeper nesting and larger numbers than a
-- double; the API has the same bounds (shared/src/base/json.rs).
create or replace function signtusk.is_readable(value jsonb) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select not jsonb_path_exists(value, 'strict $.**{100 to last} ? (@.type() == "array" || @.type() == "object")')
    and not jsonb_path_exists(value, 'strict $.** ? (@.type() == "number"
      && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))')
$$;

-- Returns the normal form of a domain or an e-mail address: without surrounding space, its ASCII letters in lower case.
-- The functions have the same (shared/src/base/identity.rs).
create or replace function signtusk.normal(name text) returns text
language sql immutable parallel safe
return lower(btrim(name, E' \t\r\n') collate "C");

-- Returns the normal form of an id: a UUID in lower case, another id unchanged.
create or replace function signtusk.normal_id(id text) returns text
language sql immutable parallel safe
return case
  when id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then lower(id collate "C")
  else id end;

-- Returns the domain of an e-mail address, in its normal form.
create or replace function signtusk.domain_of(email text) returns text
language sql immutable parallel safe
return nullif(split_part(signtusk.normal(email), '@', 2), '');

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  visitor text;
  web_app_table text;
begin
  foreach visitor in array array['anon', 'authenticated'] loop
    if exists (select from pg_roles where rolname = visitor) then
      execute format('revoke all on schema signtusk from %I', visitor);
      execute format('alter default privileges in schema signtusk revoke all on tables from %I', visitor);
      execute format('alter default privileges in schema signtusk revoke all on sequences from %I', visitor);
    end if;
  end loop;

  if exists (select from pg_roles where rolname = functions) then
    execute format('grant usage on schema public, signtusk to %I', functions);
    execute format('grant execute on function signtusk.listed_at(timestamptz), signtusk.bounded(timestamptz), '
      'signtusk.listed_at(timestamp), signtusk.bounded(timestamp), '
      'signtusk.normal(text), signtusk.normal_id(text), signtusk.domain_of(text) to %I', functions);
    -- The functions only read the web app's tables; the web app writes them.
    foreach web_app_table in array array['user_profiles', 'documents', 'signing_requests', 'signing_request_signers'] loop
      execute format('grant select on public.%I to %I', web_app_table, functions);
      if not exists (
        select from pg_policies
        where schemaname = 'public' and tablename = web_app_table and policyname = 'signtusk functions read'
      ) then
        execute format('create policy "signtusk functions read" on public.%I for select to %I using (true)',
          web_app_table, functions);
      end if;
    end loop;
  end if;
end
$$;
