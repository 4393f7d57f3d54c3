-- The outbox: follow-up actions of a change are written in its transaction, and executed after the commit. A
-- rolled-back change has no effect, and a committed change loses none.

-- Returns a new id that sorts by its creation time (UUID version 7, RFC 9562 section 5.7): 48 bits of milliseconds over
-- a random UUID of version 4, whose version becomes 7 by setting two bits.
create or replace function signtusk.uuid_v7() returns uuid language sql volatile set search_path = '' as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1),
    'hex')::uuid
$$;

create table if not exists signtusk.outbox (
  -- For a job's row, the id of the job.
  id uuid primary key default signtusk.uuid_v7(),
  -- The order of writing. Rows of one kind with the same ordering key are executed in this order.
  seq bigint generated always as identity unique,
  -- The action of the row, and the content of its payload:
  --   job           the payload of a job, see the columns below
  --   invalidation  the cache entries to invalidate: {"kind": ..., "id": ...} or {"group": ..., "id": ...}
  -- A row whose kind the running version does not know waits for a version that does.
  kind text not null check (kind ~ '^[a-z][a-z-]{0,31}$'),
  payload jsonb not null check (jsonb_typeof(payload) = 'object' and octet_length(payload::text) <= 262144),
  ordering_key text check (length(ordering_key) between 1 and 320),
  -- Only for jobs.
  job_type text check (job_type ~ '^[a-z][a-z0-9-]{0,63}$'),
  priority text not null default 'normal' check (priority in ('high', 'normal', 'low')),
  tenant text not null default '-' check (length(tenant) between 1 and 320),
  acting_user text not null default '' check (length(acting_user) <= 320),
  label text not null default '' check (length(label) <= 320),
  not_before timestamptz,
  created_at timestamptz not null default now(),
  -- The row is not executed before this instant. A job whose delay exceeds the queue's limit waits here.
  due_at timestamptz not null default now(),
  -- Until then the row is claimed, or waits after a failure.
  held_until timestamptz,
  claim text,
  -- Claims that did not end in an outage of a dependency.
  attempts integer not null default 0,
  -- Why the row was not executed the last time, or why it was set aside.
  reason text,
  -- When the row was set aside: it is no longer executed. Later rows continue.
  set_aside_at timestamptz,
  -- When it was executed. A job's payload is deleted then: the job's record and its message have it.
  published_at timestamptz,
  check (kind <> 'job' or job_type is not null),
  check (published_at is null or set_aside_at is null)
);

create index if not exists outbox_waiting on signtusk.outbox (seq)
  where published_at is null and set_aside_at is null;
create index if not exists outbox_waiting_of_key on signtusk.outbox (ordering_key, kind, seq)
  where published_at is null and set_aside_at is null and ordering_key is not null;
create index if not exists outbox_due on signtusk.outbox (due_at)
  where published_at is null and set_aside_at is null;
create index if not exists outbox_set_aside on signtusk.outbox (set_aside_at) where set_aside_at is not null;
create index if not exists outbox_published on signtusk.outbox (published_at) where published_at is not null;

alter table signtusk.outbox enable row level security;

-- Writes a job in the caller's transaction and returns its id. The job runs after the commit: within the sweep's
-- interval, or at once if relay-outbox is pinged. For the web app's server side and for triggers.
--
-- A job that no function could read is rejected here, so that its writer sees the error: JSON beyond
-- `signtusk.is_readable`, or an instant that is infinite or after the year 9999.
--
-- Jobs with the same ordering key are published in the order in which their transactions commit: writers of one key
-- wait for each other, from this call to their commit.
create or replace function public.signtusk_enqueue_job(
  job_type text,
  payload jsonb,
  ordering_key text default null,
  not_before timestamptz default null,
  tenant text default '-',
  priority text default 'normal'
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  job_id uuid;
begin
  if not signtusk.is_readable(payload) then
    raise exception 'payload: nested deeper than 100 levels, or a number larger than a double'
      using errcode = 'check_violation';
  end if;
  if not_before is distinct from signtusk.bounded(not_before) then
    raise exception 'not_before: an instant of the years 1 to 9999' using errcode = 'check_violation';
  end if;
  if ordering_key is not null then
    perform pg_advisory_xact_lock(hashtextextended('signtusk.outbox ' || ordering_key, 0));
  end if;
  insert into signtusk.outbox (kind, job_type, payload, ordering_key, not_before, due_at, tenant, priority)
  values ('job', job_type, payload, ordering_key, not_before,
    -- The queue keeps a message for seven days.
    greatest(now(), not_before - interval '6 days'),
    coalesce(tenant, '-'), coalesce(priority, 'normal'))
  returning id into job_id;
  return job_id;
end
$$;

-- Supabase grants new objects in `public` to visitors by default; this function is not for them.
revoke all on function public.signtusk_enqueue_job(text, jsonb, text, timestamptz, text, text) from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  who text;
begin
  foreach who in array array['anon', 'authenticated'] loop
    if exists (select from pg_roles where rolname = who) then
      execute format('revoke all on function '
        'public.signtusk_enqueue_job(text, jsonb, text, timestamptz, text, text) from %I', who);
    end if;
  end loop;
  foreach who in array array['service_role', functions] loop
    if exists (select from pg_roles where rolname = who) then
      execute format('grant execute on function '
        'public.signtusk_enqueue_job(text, jsonb, text, timestamptz, text, text) to %I', who);
    end if;
  end loop;
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select, insert, update, delete on signtusk.outbox to %I', functions);
    if not exists (
      select from pg_policies
      where schemaname = 'signtusk' and tablename = 'outbox' and policyname = 'signtusk functions'
    ) then
      execute format('create policy "signtusk functions" on signtusk.outbox to %I using (true) with check (true)',
        functions);
    end if;
  end if;
end
$$;
