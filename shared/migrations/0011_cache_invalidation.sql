-- Cache invalidation: triggers write changes of the web app's tables to the outbox, in the web app's own transaction,
-- and relay-outbox applies them. A statement that changes a thousand rows writes one row for each 500 of them.
--
-- This also creates the tables that caches are filled from and that no earlier migration has. An existing table is
-- kept, and only missing columns are added.

do $$
begin
  if to_regclass('public.user_totp_configs') is null then
    create table public.user_totp_configs (
      id uuid primary key default gen_random_uuid(),
      user_id uuid unique not null
    );
    alter table public.user_totp_configs enable row level security;
  end if;

  if to_regclass('public.domain_administrators') is null then
    create table public.domain_administrators (
      id uuid primary key default gen_random_uuid(),
      domain text not null,
      admin_user_id uuid not null,
      unique (domain, admin_user_id)
    );
    alter table public.domain_administrators enable row level security;
  end if;

  if to_regclass('public.domain_user_roles') is null then
    create table public.domain_user_roles (
      id uuid primary key default gen_random_uuid(),
      domain text not null,
      user_id uuid not null,
      unique (domain, user_id)
    );
    alter table public.domain_user_roles enable row level security;
  end if;

  if to_regclass('public.notification_preferences') is null then
    create table public.notification_preferences (
      id uuid primary key default gen_random_uuid(),
      user_id uuid unique not null
    );
    alter table public.notification_preferences enable row level security;
  end if;
end
$$;

alter table public.user_totp_configs
  add column if not exists secret varchar(255),
  add column if not exists backup_codes text[],
  add column if not exists enabled boolean default false,
  add column if not exists login_mfa_enabled boolean default false,
  add column if not exists signing_mfa_enabled boolean default false,
  add column if not exists default_require_totp boolean default false,
  add column if not exists organization_enforced boolean default false,
  add column if not exists policy_compliance_date timestamptz,
  add column if not exists last_used_at timestamptz,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.domain_administrators
  add column if not exists role text default 'domain_admin',
  add column if not exists is_verified boolean default false,
  add column if not exists verification_token text,
  add column if not exists verification_expires_at timestamptz,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.domain_user_roles
  add column if not exists role text default 'member',
  add column if not exists department text,
  add column if not exists cost_center text,
  add column if not exists manager_user_id uuid,
  add column if not exists is_active boolean default true,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.notification_preferences
  add column if not exists email_notifications boolean default true,
  add column if not exists push_notifications boolean default true,
  add column if not exists signature_requests boolean default true,
  add column if not exists document_updates boolean default true,
  add column if not exists reminders boolean default true,
  add column if not exists marketing boolean default false,
  add column if not exists progress_updates boolean default true,
  add column if not exists document_viewed_emails boolean default false,
  add column if not exists other_signer_notifications boolean default false,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.domain_settings
  add column if not exists enforce_totp boolean default false,
  add column if not exists password_min_length integer default 8,
  add column if not exists password_require_special boolean default true,
  add column if not exists session_timeout_minutes integer default 480,
  add column if not exists allowed_ip_ranges text[],
  add column if not exists custom_smtp_enabled boolean default false,
  add column if not exists require_approval_workflow boolean default false,
  add column if not exists auto_reminder_enabled boolean default true,
  add column if not exists auto_reminder_days integer default 3,
  add column if not exists sso_enabled boolean default false,
  add column if not exists sso_provider text,
  add column if not exists api_access_enabled boolean default false;

-- Domains are compared with ASCII letters in lower case, as everywhere.
create index if not exists domain_settings_of_domain on public.domain_settings (lower(domain collate "C"));
create index if not exists domain_administrators_of_domain on public.domain_administrators (lower(domain collate "C"));
create index if not exists domain_administrators_of_user on public.domain_administrators (admin_user_id);
create index if not exists domain_user_roles_of_domain on public.domain_user_roles (lower(domain collate "C"));
create index if not exists domain_user_roles_of_user on public.domain_user_roles (user_id);
create index if not exists signing_requests_of_document on public.signing_requests (document_template_id);
create index if not exists signing_requests_of_owner on public.signing_requests (initiated_by);

-- Returns an instant in the API's format (RFC 3339, UTC), for any time zone of the session. An infinite or distant one
-- becomes the first or last day of RFC 3339.
create or replace function signtusk.instant(at timestamptz) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$ select to_char(signtusk.bounded(at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Returns the users who may see a signing request: its owner, administrators of the owner's domain, its signers.
create or replace function signtusk.request_parties(request uuid) returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
  select json_build_object(
    'owner', requested.initiated_by,
    'domain', signtusk.domain_of(profile.email),
    'signers', (
      select coalesce(json_agg(distinct signtusk.normal(signer.signer_email)), '[]')
      from public.signing_request_signers as signer
      where signer.signing_request_id = requested.id
    )
  )
  from public.signing_requests as requested
  left join public.user_profiles as profile on profile.id = requested.initiated_by
  where requested.id = request
$$;

-- Writes invalidations: every id for every kind.
create or replace function signtusk.invalidate(kinds text[], ids text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into signtusk.outbox (kind, payload)
  select 'invalidation', jsonb_build_object('kinds', kinds, 'ids', jsonb_agg(id order by id))
  from (
    select id, (row_number() over (order by id) - 1) / 500 as part
    from (select distinct unnest(ids) as id) as named
    where id is not null
  ) as numbered
  group by part
$$;

-- Records the changes of a statement. Arguments: the id of a row (an expression), the kinds that show it, the columns
-- that they show, and the further entries that the change affects. An update of other columns has no effect. Columns
-- are looked up by name in the row as JSON, so that the web app can drop a column without an error here.
create or replace function signtusk.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  row_id constant text := tg_argv[0];
  kinds constant text[] := tg_argv[1];
  shown constant text[] := tg_argv[2];
  reach constant text := tg_argv[3];
  rows_shown constant text := 'select whole.id, (select jsonb_object_agg(shown, whole.row -> shown) from unnest($1) as shown) '
    'from (select (%1$s)::text as id, to_jsonb(%2$I) as row from %2$I offset 0) as whole';
  before constant text := format(rows_shown, row_id, 'old_rows');
  after constant text := format(rows_shown, row_id, 'new_rows');
  ids text[];
begin
  execute case tg_op
    when 'INSERT' then format('select array_agg(distinct (%s)::text) from new_rows where $1 is not null', row_id)
    when 'DELETE' then format('select array_agg(distinct (%s)::text) from old_rows where $1 is not null', row_id)
    else format('select array_agg(distinct id) from ((%1$s except all %2$s) union all (%2$s except all %1$s)) as changed (id, shown)',
      before, after)
  end into ids using shown;
  if ids is null then
    return null;
  end if;
  case reach
    when 'itself' then
      perform signtusk.invalidate(kinds, ids);
    when 'requests of the document' then
      perform signtusk.invalidate(kinds, array(
        select request.id::text from public.signing_requests as request
        where request.document_template_id = any (ids::uuid[])));
    when 'requests of the owner' then
      perform signtusk.invalidate(kinds, array(
        select request.id::text from public.signing_requests as request where request.initiated_by = any (ids::uuid[])));
    when 'domains of the user' then
      perform signtusk.invalidate(kinds, array(
        select lower(held.domain collate "C") from public.domain_user_roles as held
        where held.user_id = any (ids::uuid[])
        union
        select lower(led.domain collate "C") from public.domain_administrators as led
        where led.admin_user_id = any (ids::uuid[])));
  end case;
  return null;
end
$$;

revoke all on function signtusk.instant(timestamptz), signtusk.request_parties(uuid),
  signtusk.invalidate(text[], text[]), signtusk.note_change() from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  watched record;
  read record;
begin
  for watched in
    select * from (values
      ('user_profiles', 'profile', 'id', '{user-profiles}', 'itself',
        '{email,full_name,first_name,last_name,avatar_url,plan,subscription_status,subscription_expires_at,'
        'documents_count,storage_used_mb,monthly_documents_used,monthly_limit,company_name,company_domain,'
        'industry_field,employee_count,job_title,department,phone_number,account_type,email_verified,'
        'company_verified,onboarding_completed}'),
      ('user_profiles', 'people', 'id', '{domain-admins,domain-users}', 'domains of the user', '{email,full_name}'),
      ('user_profiles', 'owner', 'id', '{documents,signing-requests,document-status}', 'requests of the owner', '{email}'),
      ('user_totp_configs', 'totp', 'user_id', '{totp-configs}', 'itself',
        '{user_id,enabled,login_mfa_enabled,signing_mfa_enabled,default_require_totp,organization_enforced,'
        'policy_compliance_date}'),
      ('domain_settings', 'settings', 'lower(domain collate "C")', '{domain-settings}', 'itself',
        '{domain,company_logo_url,primary_color,secondary_color,enforce_totp,password_min_length,'
        'password_require_special,session_timeout_minutes,allowed_ip_ranges,custom_smtp_enabled,email_from_name,'
        'email_from_address,default_retention_days,require_approval_workflow,auto_reminder_enabled,'
        'auto_reminder_days,sso_enabled,sso_provider,api_access_enabled}'),
      ('domain_administrators', 'admins', 'lower(domain collate "C")', '{domain-admins}', 'itself',
        '{domain,admin_user_id,role,is_verified}'),
      ('domain_user_roles', 'users', 'lower(domain collate "C")', '{domain-users}', 'itself',
        '{domain,user_id,role,department,is_active}'),
      ('notification_preferences', 'preferences', 'user_id', '{notification-preferences}', 'itself',
        '{user_id,email_notifications,push_notifications,signature_requests,document_updates,reminders,marketing,'
        'progress_updates,document_viewed_emails,other_signer_notifications}'),
      ('signing_requests', 'request', 'id', '{documents,signing-requests,document-status}', 'itself',
        '{title,description,document_sign_id,document_template_id,initiated_by,initiated_at,expires_at,status,'
        'document_status,total_signers,completed_signers,viewed_signers,require_totp,signature_type,signing_order,'
        'metadata,final_pdf_url,decline_reason,completed_at}'),
      ('signing_request_signers', 'signer', 'signing_request_id', '{documents,signing-requests,document-status}', 'itself',
        '{signing_request_id,signer_email,signer_name,signing_order,schema_signer_id,status,signer_status,sent_at,'
        'viewed_at,signed_at,declined_at,decline_reason,reminder_count,totp_verified}'),
      ('documents', 'document', 'id', '{documents}', 'requests of the document', '{title,pdf_url,file_url}')
    ) as shown (on_table, name, id, kinds, reach, columns)
  loop
    execute format(
      'create or replace trigger signtusk_cache_%1$s_insert after insert on public.%2$I
         referencing new table as new_rows for each statement
         execute function signtusk.note_change(%3$L, %4$L, %5$L, %6$L);
       create or replace trigger signtusk_cache_%1$s_update after update on public.%2$I
         referencing old table as old_rows new table as new_rows for each statement
         execute function signtusk.note_change(%3$L, %4$L, %5$L, %6$L);
       create or replace trigger signtusk_cache_%1$s_delete after delete on public.%2$I
         referencing old table as old_rows for each statement
         execute function signtusk.note_change(%3$L, %4$L, %5$L, %6$L);',
      watched.name, watched.on_table, watched.id, watched.kinds, watched.columns, watched.reach);
  end loop;

  if exists (select from pg_roles where rolname = functions) then
    execute format('grant execute on function signtusk.instant(timestamptz), signtusk.request_parties(uuid) to %I', functions);
    -- Grants by column: the functions cannot read any secret, backup code or verification token.
    for read in
      select * from (values
        ('user_totp_configs', 'user_id, enabled, login_mfa_enabled, signing_mfa_enabled, default_require_totp, '
          'organization_enforced, policy_compliance_date'),
        ('domain_administrators', 'domain, admin_user_id, role, is_verified'),
        ('domain_user_roles', 'domain, user_id, role, department, is_active'),
        ('notification_preferences', 'user_id, email_notifications, push_notifications, signature_requests, '
          'document_updates, reminders, marketing, progress_updates, document_viewed_emails, other_signer_notifications')
      ) as granted (on_table, columns)
    loop
      execute format('grant select (%s) on public.%I to %I', read.columns, read.on_table, functions);
      if not exists (
        select from pg_policies
        where schemaname = 'public' and tablename = read.on_table and policyname = 'signtusk functions read'
      ) then
        execute format('create policy "signtusk functions read" on public.%I for select to %I using (true)',
          read.on_table, functions);
      end if;
    end loop;
  end if;
end
$$;
