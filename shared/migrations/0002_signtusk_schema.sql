-- The functions' own schema, and what their role may do. The role is named by the setting `signtusk.functions_role`
-- (`set signtusk.functions_role = 'name'` before the migrations, or on the database), else it is `functions`; where
-- it does not exist, nothing is granted. Visitors of a Supabase project reach nothing in this schema.

create schema if not exists signtusk;
revoke all on schema signtusk from public;

-- An instant as lists are ordered and shown by it. The web app's columns may hold nothing, or what no calendar of a
-- caller's has: nothing counts as 1970, and what is infinite or far as the first or last day of the years 1 to 9999. One
-- expression, so that a list, its index and its cursor agree.
create or replace function signtusk.listed_at(at timestamptz) returns timestamptz
language sql immutable parallel safe
return case when at is null then timestamptz '1970-01-01 00:00:00+00'
  else least(greatest(at, timestamptz '0001-01-02 00:00:00+00'), timestamptz '9999-12-30 00:00:00+00') end;

-- The same where nothing stays nothing.
create or replace function signtusk.bounded(at timestamptz) returns timestamptz
language sql immutable parallel safe
return case when at is not null then signtusk.listed_at(at) end;

-- The same of a column that a table from before has without a time zone: its instants are UTC.
create or replace function signtusk.listed_at(at timestamp) returns timestamptz
language sql immutable parallel safe
return signtusk.listed_at(at at time zone 'UTC');

create or replace function signtusk.bounded(at timestamp) returns timestamptz
language sql immutable parallel safe
return signtusk.bounded(at at time zone 'UTC');

-- Whether every reader of JSON can read it. `jsonb` also holds deeper nesting and larger numbers than a double; the API
-- has the same bounds (shared/src/base/json.rs).
create or replace function signtusk.is_readable(value jsonb) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select not jsonb_path_exists(value, 'strict $.**{100 to last} ? (@.type() == "array" || @.type() == "object")')
    and not jsonb_path_exists(value, 'strict $.** ? (@.type() == "number"
      && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))')
$$;

-- The one spelling of a domain or an e-mail address: lower case as far as ASCII goes, without space around it. The
-- functions have the same (shared/src/base/identity.rs).
create or replace function signtusk.normal(name text) returns text
language sql immutable parallel safe
return lower(btrim(name, E' \t\r\n') collate "C");

-- The one spelling of an id that may be a UUID: then in lower case, else as it is.
create or replace function signtusk.normal_id(id text) returns text
language sql immutable parallel safe
return case
  when id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then lower(id collate "C")
  else id end;

-- The domain of an e-mail address, in its one spelling.
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
    -- The web app's tables are read here and written there.
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
