-- The e-mail ledger: one row for each mail to one recipient. It is written before the provider is called, so that a
-- killed instance leaves a row, and settled after the provider's answer.

create table if not exists signtusk.email_ledger (
  key text primary key check (key ~ '^[0-9a-f]{64}$'),
  kind text not null,
  recipient text not null,
  request_id text,
  signer_id text,
  occurrence text,
  job_id text not null,
  state text not null check (state in ('sending', 'accepted', 'released', 'rejected')),
  -- The last attempt: it may repeat its own statements, and only it settles what it began.
  attempt text not null,
  attempts integer not null default 1,
  -- If an attempt has ended without a known outcome, the mail may have been sent more than once.
  in_doubt boolean not null default false,
  provider text,
  message_id text,
  reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

alter table signtusk.email_ledger enable row level security;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant select, insert, update on signtusk.email_ledger to %I', functions);
    if not exists (
      select from pg_policies
      where schemaname = 'signtusk' and tablename = 'email_ledger' and policyname = 'signtusk functions'
    ) then
      execute format('create policy "signtusk functions" on signtusk.email_ledger to %I using (true) with check (true)',
        functions);
    end if;
  end if;
end
$$;
