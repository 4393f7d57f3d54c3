-- The tables of the cleanup: the web app's short-lived tables, and the progress of a run.
--
-- The tables are the web app's, and existing ones are kept. Only the columns that cleanup reads are added, and an index
-- for each scan, so that a run reads only the rows that it deletes.

do $$
declare
  missing text;
begin
  foreach missing in array array['temp_files', 'notification_logs', 'email_verification_tokens',
    'password_reset_tokens', 'analytics_events', 'performance_metrics']
  loop
    if to_regclass('public.' || missing) is null then
      execute format('create table public.%I (id uuid primary key default gen_random_uuid())', missing);
      execute format('alter table public.%I enable row level security', missing);
    end if;
  end loop;
end
$$;

-- `object_key` is the object's key in DOCUMENTS_BUCKET; the object is deleted before the row.
alter table public.temp_files
  add column if not exists object_key text,
  add column if not exists created_at timestamptz default now();

-- There are two definitions of this table, one without `created_at`: the age of its rows is that of `sent_at`.
alter table public.notification_logs
  add column if not exists sent_at timestamptz,
  add column if not exists created_at timestamptz;
alter table public.notification_logs alter column created_at set default now();

alter table public.email_verification_tokens
  add column if not exists email text,
  add column if not exists token text,
  add column if not exists used boolean default false,
  add column if not exists expires_at timestamptz,
  add column if not exists created_at timestamptz default now();

alter table public.password_reset_tokens
  add column if not exists email text,
  add column if not exists token text,
  add column if not exists expires_at timestamptz,
  add column if not exists created_at timestamptz default now();

alter table public.analytics_events
  add column if not exists created_at timestamptz default now();

alter table public.performance_metrics
  add column if not exists endpoint text,
  add column if not exists date date,
  add column if not exists aggregated_at timestamptz default now();

create index if not exists temp_files_by_time on public.temp_files (created_at);
create index if not exists notification_logs_by_time on public.notification_logs (created_at);
create index if not exists notification_logs_by_sending on public.notification_logs (sent_at) where created_at is null;
create index if not exists email_verification_tokens_by_end on public.email_verification_tokens (expires_at);
create index if not exists password_reset_tokens_by_end on public.password_reset_tokens (expires_at);
create index if not exists analytics_events_by_time on public.analytics_events (created_at);
create index if not exists performance_metrics_by_day on public.performance_metrics (date);
create index if not exists email_events_by_arrival on signtusk.email_events (received_at);
create index if not exists signing_requests_ended on public.signing_requests (created_at)
  where status in ('completed', 'declined', 'expired', 'cancelled');

-- The progress of each task of a run, by the job that runs it. The statement that deletes rows also increases the
-- number, so that a killed run can continue, with a correct count.
create table if not exists signtusk.cleanup_runs (
  job_id text not null,
  task text not null,
  removed bigint not null default 0,
  -- Results besides that number, such as the scan of the keyspace.
  detail jsonb,
  done_at timestamptz,
  started_at timestamptz not null default now(),
  primary key (job_id, task)
);

create index if not exists cleanup_runs_by_time on signtusk.cleanup_runs (started_at);

alter table signtusk.cleanup_runs enable row level security;

-- Deletes signing requests, with their signers, that ended before `before`, at most `most`. It never deletes requests
-- younger than the days of `signtusk.retention`, or than those that the owner's domain has set.
create or replace function signtusk.remove_ended_requests(before timestamptz, most integer)
returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare
  removed bigint;
begin
  delete from public.signing_requests as gone
  where gone.ctid in (
    select request.ctid
    from public.signing_requests as request
    left join public.user_profiles as maker on maker.id = request.initiated_by
    left join public.domain_settings as domain on lower(domain.domain collate "C") = signtusk.domain_of(maker.email)
    where request.status in ('completed', 'declined', 'expired', 'cancelled')
      and request.created_at < before
      and greatest(request.created_at, request.completed_at, request.updated_at) < least(before,
        now() - make_interval(days => greatest(
          (select days from signtusk.retention where what = 'requests'), domain.default_retention_days)))
    limit most
  );
  get diagnostics removed = row_count;
  return removed;
end
$$;

revoke all on function signtusk.remove_ended_requests(timestamptz, integer) from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  cleaned text;
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant execute on function signtusk.remove_ended_requests(timestamptz, integer) to %I', functions);
    execute format('grant select, insert, update, delete on signtusk.cleanup_runs to %I', functions);
    execute format('grant delete on signtusk.email_ledger, signtusk.email_events to %I', functions);
    execute format('grant select, delete on signtusk.notification_receipts to %I', functions);
    if not exists (
      select from pg_policies
      where schemaname = 'signtusk' and tablename = 'notification_receipts' and policyname = 'signtusk functions clean'
    ) then
      execute format('create policy "signtusk functions clean" on signtusk.notification_receipts to %I '
        'using (true) with check (false)', functions);
    end if;
    foreach cleaned in array array['temp_files', 'notification_logs', 'email_verification_tokens',
      'password_reset_tokens', 'analytics_events', 'performance_metrics']
    loop
      execute format('grant select, delete on public.%I to %I', cleaned, functions);
      if not exists (
        select from pg_policies
        where schemaname = 'public' and tablename = cleaned and policyname = 'signtusk functions clean'
      ) then
        execute format('create policy "signtusk functions clean" on public.%I to %I using (true) with check (false)',
          cleaned, functions);
      end if;
    end loop;
    if not exists (
      select from pg_policies
      where schemaname = 'signtusk' and tablename = 'cleanup_runs' and policyname = 'signtusk functions'
    ) then
      execute format('create policy "signtusk functions" on signtusk.cleanup_runs to %I using (true) with check (true)',
        functions);
    end if;
  end if;
end
$$;
