-- The functions' own schema, and what their role may do. The role is named by the setting `signtusk.functions_role`
-- (`set signtusk.functions_role = 'name'` before the migrations, or on the database), else it is `functions`; where
-- it does not exist, nothing is granted. Visitors of a Supabase project reach nothing in this schema.

create schema if not exists signtusk;
revoke all on schema signtusk from public;

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
