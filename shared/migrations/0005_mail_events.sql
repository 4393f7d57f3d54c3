-- The events of a mail after the provider accepted it: the events that providers report, their effects on the ledger's
-- row, and the addresses that get no mail.

alter table signtusk.email_ledger
  -- The time from which a provider may have the mail: the first attempt since the row was last certainly not sent.
  add column if not exists sending_since timestamptz,
  -- Whether the current attempt follows one with an unknown outcome.
  add column if not exists resumed boolean not null default false,
  -- The provider's ids of this mail, sorted. More than one means that it was sent more than once.
  add column if not exists message_ids text[] not null default '{}',
  add column if not exists doubled boolean not null default false,
  -- The first time of each, by the provider's clock, or by ours if the provider's answer preceded its event.
  add column if not exists accepted_at timestamptz,
  add column if not exists delayed_at timestamptz,
  add column if not exists delivered_at timestamptz,
  add column if not exists opened_at timestamptz,
  add column if not exists bounced_at timestamptz,
  add column if not exists soft_bounced_at timestamptz,
  add column if not exists complained_at timestamptz,
  add column if not exists failed_at timestamptz,
  add column if not exists last_event_at timestamptz;

-- A mail that another has replaced is known before its own job runs, and only the job has its recipient.
alter table signtusk.email_ledger alter column recipient drop not null;

do $$
begin
  if not exists (
    select from pg_constraint
    where conrelid = 'signtusk.email_ledger'::regclass and conname = 'email_ledger_state_check'
      and pg_get_constraintdef(oid) like '%superseded%'
  ) then
    alter table signtusk.email_ledger
      drop constraint if exists email_ledger_state_check,
      add constraint email_ledger_state_check
        check (state in ('sending', 'accepted', 'released', 'rejected', 'suppressed', 'superseded'));
  end if;
end
$$;

-- Rows from before these columns.
update signtusk.email_ledger set sending_since = updated_at where state = 'sending' and sending_since is null;
update signtusk.email_ledger set accepted_at = updated_at where state = 'accepted' and accepted_at is null;
update signtusk.email_ledger set message_ids = array[message_id] where message_id <> '' and message_ids = '{}';

create index if not exists email_ledger_by_time on signtusk.email_ledger (created_at, key);
create index if not exists email_ledger_of_request on signtusk.email_ledger (request_id, created_at, key);
create index if not exists email_ledger_of_recipient on signtusk.email_ledger (lower(recipient), created_at, key);
create index if not exists email_ledger_of_job on signtusk.email_ledger (job_id, created_at, key);
create index if not exists email_ledger_of_message on signtusk.email_ledger using gin (message_ids);

-- The events that providers reported, each once.
create table if not exists signtusk.email_events (
  provider text not null,
  event_id text not null,
  -- The ledger's row, from the mail's tag or its message id. No foreign key: the mail may be in another database.
  key text,
  message_id text not null,
  type text not null,
  at timestamptz not null,
  detail text,
  received_at timestamptz not null default now(),
  primary key (provider, event_id)
);

create index if not exists email_events_of_mail on signtusk.email_events (key, at);

-- The addresses that get no mail, in lower case. An address may be listed for several reasons, and each is removed
-- separately: a repaired bounce does not undo an unsubscription.
create table if not exists signtusk.email_suppressions (
  address text not null check (address = lower(address)),
  reason text not null check (reason in ('bounced', 'complained', 'unsubscribed', 'manual')),
  note text,
  -- The source: the provider's event, or the ledger key of the mail whose link was used.
  source text,
  created_by text,
  created_at timestamptz not null default now(),
  primary key (address, reason)
);

create index if not exists email_suppressions_by_time
  on signtusk.email_suppressions (created_at, (address || ' ' || reason));

alter table signtusk.email_events enable row level security;
alter table signtusk.email_suppressions enable row level security;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  ours text;
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select, insert on signtusk.email_events to %I', functions);
    execute format('grant select, insert, update, delete on signtusk.email_suppressions to %I', functions);
    foreach ours in array array['email_events', 'email_suppressions'] loop
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
