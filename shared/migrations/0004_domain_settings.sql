-- An organisation's settings that mails use. The web app writes them. An existing table is kept, and only missing
-- columns are added.

do $$
begin
  if to_regclass('public.domain_settings') is null then
    create table public.domain_settings (
      id uuid primary key default gen_random_uuid(),
      domain text unique not null
    );
    alter table public.domain_settings enable row level security;
  end if;
end
$$;

alter table public.domain_settings
  add column if not exists company_logo_url text,
  add column if not exists primary_color text,
  add column if not exists secondary_color text,
  add column if not exists email_from_name text,
  add column if not exists email_from_address text,
  add column if not exists default_retention_days integer default 2555,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select on public.domain_settings to %I', functions);
    if not exists (
      select from pg_policies
      where schemaname = 'public' and tablename = 'domain_settings' and policyname = 'signtusk functions read'
    ) then
      execute format('create policy "signtusk functions read" on public.domain_settings for select to %I using (true)',
        functions);
    end if;
  end if;
end
$$;
