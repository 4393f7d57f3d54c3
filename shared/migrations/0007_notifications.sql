-- Notifications: the rows of the inbox, the unread counts, the users' preferences, and the push subscriptions (Web
-- Push). The web app's two tables keep names and columns, and an existing database keeps its rows. No foreign key
-- references users.

do $$
begin
  if to_regclass('public.notifications') is null then
    create table public.notifications (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null,
      type varchar(50) not null,
      title varchar(255) not null,
      message text not null
    );
    alter table public.notifications enable row level security;
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

alter table public.notifications
  add column if not exists metadata jsonb default '{}',
  add column if not exists action_url varchar(500),
  add column if not exists is_read boolean default false,
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

create index if not exists notifications_listed
  on public.notifications (user_id, signtusk.listed_at(created_at) desc, id desc);
create index if not exists notifications_listed_unread
  on public.notifications (user_id, signtusk.listed_at(created_at) desc, id desc) where is_read is not true;
-- Finds the account of an address in any spelling.
create index if not exists user_profiles_of_address on public.user_profiles (signtusk.normal(email));
drop index if exists public.notifications_by_time;
drop index if exists public.notifications_unread;

-- The table of types: the stored name and the preference of each. If the preference is off, no row is written; a type
-- without a preference is always written.
create table if not exists signtusk.notification_types (
  type text primary key,
  stored_as text not null,
  preference text check (preference in ('signature_requests', 'document_updates', 'reminders'))
);

insert into signtusk.notification_types (type, stored_as, preference)
values
  ('signature_request', 'signature_request', 'signature_requests'),
  ('sequential_signature_request', 'sequential_signature_request', 'signature_requests'),
  ('signature_completed', 'signature_completed', 'document_updates'),
  ('document_expired', 'document_expired', 'document_updates'),
  ('pdf_generation_completed', 'pdf_generation_completed', 'document_updates'),
  ('document_expiry_warning', 'document_expiry_warning', 'reminders'),
  ('reminder', 'reminder', 'reminders'),
  ('system_notification', 'system', null),
  ('bulk_notification', 'general', null),
  ('general', 'general', null)
on conflict (type) do update set stored_as = excluded.stored_as, preference = excluded.preference;

-- The unread count of each user. Triggers update it in the transaction that changes the rows, for any writer. The
-- version grows with each change and orders counts.
create table if not exists signtusk.unread_counts (
  user_id uuid primary key,
  unread bigint not null,
  version bigint not null default 1
);

-- Lock order: first the rows, then the counts of their users, ordered by user. Every statement that fires these
-- triggers follows it, and every function that locks both must.
create or replace function signtusk.count_unread() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'TRUNCATE' then
    update signtusk.unread_counts set unread = 0, version = version + 1 where unread <> 0;
  elsif tg_op = 'INSERT' then
    insert into signtusk.unread_counts as known (user_id, unread)
    select user_id, count(*) from new_rows where is_read is not true
    group by user_id order by user_id
    on conflict (user_id) do update set unread = known.unread + excluded.unread, version = known.version + 1;
  elsif tg_op = 'DELETE' then
    insert into signtusk.unread_counts as known (user_id, unread)
    select user_id, -count(*) from old_rows where is_read is not true
    group by user_id order by user_id
    on conflict (user_id) do update set unread = known.unread + excluded.unread, version = known.version + 1;
  else
    insert into signtusk.unread_counts as known (user_id, unread)
    select user_id, sum(change)
    from (
      select user_id, 1 as change from new_rows where is_read is not true
      union all
      select user_id, -1 from old_rows where is_read is not true
    ) as changes
    group by user_id having sum(change) <> 0 order by user_id
    on conflict (user_id) do update set unread = known.unread + excluded.unread, version = known.version + 1;
  end if;
  return null;
end
$$;

-- Creates the triggers and counts the existing rows while writes are blocked.
do $$
begin
  if not exists (
    select from pg_trigger where tgrelid = 'public.notifications'::regclass and tgname = 'signtusk_unread_update'
  ) then
    lock table public.notifications in share row exclusive mode;
    create trigger signtusk_unread_insert after insert on public.notifications
      referencing new table as new_rows for each statement execute function signtusk.count_unread();
    create trigger signtusk_unread_update after update on public.notifications
      referencing old table as old_rows new table as new_rows
      for each statement execute function signtusk.count_unread();
    create trigger signtusk_unread_delete after delete on public.notifications
      referencing old table as old_rows for each statement execute function signtusk.count_unread();
    create trigger signtusk_unread_truncate after truncate on public.notifications
      for each statement execute function signtusk.count_unread();
    insert into signtusk.unread_counts (user_id, unread)
    select user_id, count(*) from public.notifications where is_read is not true group by user_id
    on conflict (user_id) do update set unread = excluded.unread, version = signtusk.unread_counts.version + 1;
  end if;
end
$$;

-- The push subscriptions of a user's browsers (RFC 8030): the push service's address, and the keys with which messages
-- are encrypted for the browser.
create table if not exists signtusk.push_subscriptions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  endpoint text not null unique check (length(endpoint) <= 2048),
  p256dh text not null,
  auth text not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index if not exists push_subscriptions_of_user on signtusk.push_subscriptions (user_id, updated_at desc);

-- The result of each notification of a job, so that a repeated job writes nothing twice.
create table if not exists signtusk.notification_receipts (
  job_id text not null,
  -- The notification's position in its job, from 0.
  place integer not null,
  outcome text not null check (outcome in ('created', 'unwanted', 'nobody')),
  user_id uuid,
  notification_id uuid,
  -- Whether the real-time event was published.
  announced boolean not null default false,
  -- The subscriptions that need no further message: they have it, or rejected it permanently.
  pushed uuid[] not null default '{}',
  created_at timestamptz not null default now(),
  primary key (job_id, place)
);

create index if not exists notification_receipts_by_time on signtusk.notification_receipts (created_at);

-- Returns a text as a UUID, if it is one.
create or replace function signtusk.uuid_of(value text) returns uuid
language sql immutable set search_path = '' as $$
  select case
    when value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then value::uuid
  end
$$;

-- Writes the missing notifications of a job, and returns the remaining steps of all of them. An item is {place, type,
-- userId | ownerOf | accountOf, title, message, metadata, actionUrl}. The recipient is the named user, the owner of the
-- signing request `ownerOf`, or the user with the account of the address `accountOf`. `outcome` is that of the receipt,
-- or `unknown` if the request does not exist (yet): that item has no receipt. A transaction of the web app may change
-- the counts of several users in another order. This function then gives up before the server detects the deadlock
-- (deadlock_timeout, a second). Its job calls it again, and no row is written twice.
create or replace function signtusk.notify(job text, items jsonb)
returns table (
  place integer, outcome text, announced boolean, notification jsonb, unread bigint, version bigint, subscriptions jsonb
)
language plpgsql security definer set search_path = '' set lock_timeout = '300ms' as $$
#variable_conflict use_column
declare
  item record;
  fate text;
  fresh uuid;
begin
  -- Ordered by user, like the locks on their counts.
  for item in
    select given.*, kind.stored_as,
      coalesce(given."userId", request.initiated_by, account.id) as recipient,
      given."ownerOf" is not null and request.id is null as is_unknown,
      case kind.preference
        when 'signature_requests' then wish.signature_requests
        when 'document_updates' then wish.document_updates
        when 'reminders' then wish.reminders
      end as is_wanted
    from jsonb_to_recordset(items) as given(
      place integer, type text, "userId" uuid, "ownerOf" text, "accountOf" text,
      title text, message text, metadata jsonb, "actionUrl" text
    )
    join signtusk.notification_types as kind on kind.type = given.type
    left join public.signing_requests as request on request.id = signtusk.uuid_of(given."ownerOf")
    left join lateral (
      select profile.id from public.user_profiles as profile
      where signtusk.normal(profile.email) = signtusk.normal(given."accountOf")
      order by profile.email = given."accountOf" desc, profile.id limit 1
    ) as account on true
    left join public.notification_preferences as wish
      on wish.user_id = coalesce(given."userId", request.initiated_by, account.id)
    order by recipient, given.place
  loop
    continue when item.is_unknown;
    fate := case
      when item.recipient is null then 'nobody'
      when not coalesce(item.is_wanted, true) then 'unwanted'
      else 'created'
    end;
    fresh := case when fate = 'created' then gen_random_uuid() end;
    insert into signtusk.notification_receipts (job_id, place, outcome, user_id, notification_id)
    values (job, item.place, fate, item.recipient, fresh)
    on conflict (job_id, place) do nothing;
    if found and fresh is not null then
      begin
        insert into public.notifications (id, user_id, type, title, message, metadata, action_url, is_read)
        values (fresh, item.recipient, item.stored_as, item.title, item.message, coalesce(item.metadata, '{}'),
          item."actionUrl", false);
      exception when foreign_key_violation then
        -- A foreign key of an existing table references users, and this user does not exist.
        update signtusk.notification_receipts set outcome = 'nobody', notification_id = null
        where job_id = job and place = item.place;
      end;
    end if;
  end loop;

  return query
  select given.place, coalesce(receipt.outcome, 'unknown'), coalesce(receipt.announced, false),
    signtusk.notification_json(entry), coalesce(counted.unread, 0), coalesce(counted.version, 0),
    case when coalesce(wish.push_notifications, true) then (
      select jsonb_agg(jsonb_build_object('id', known.id, 'endpoint', known.endpoint,
        'keys', jsonb_build_object('p256dh', known.p256dh, 'auth', known.auth)) order by known.id)
      from signtusk.push_subscriptions as known
      where known.user_id = entry.user_id and known.created_at <= receipt.created_at
        and known.id <> all (receipt.pushed) and coalesce(known.expires_at > now(), true)
    ) end
  from jsonb_to_recordset(items) as given(place integer)
  left join signtusk.notification_receipts as receipt on receipt.job_id = job and receipt.place = given.place
  left join public.notifications as entry on entry.id = receipt.notification_id
  left join signtusk.unread_counts as counted on counted.user_id = entry.user_id
  left join public.notification_preferences as wish on wish.user_id = entry.user_id
  order by given.place;
end
$$;

-- Returns a row of the inbox as the API shows it.
create or replace function signtusk.notification_json(entry public.notifications) returns jsonb
language sql immutable set search_path = '' as $$
  select case when entry.id is not null then jsonb_build_object('id', entry.id, 'userId', entry.user_id,
    'type', entry.type, 'title', entry.title, 'message', entry.message, 'metadata', coalesce(entry.metadata, '{}'),
    'actionUrl', entry.action_url, 'isRead', coalesce(entry.is_read, false),
    'createdAt', signtusk.listed_at(entry.created_at)) end
$$;

-- Records which notifications of a job are announced, and pushed as [{place, subscription}]. Subscriptions that a push
-- service no longer knows are deleted.
create or replace function signtusk.notified(job text, places integer[], pushed jsonb, gone uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update signtusk.notification_receipts as receipt
  set announced = true, pushed = receipt.pushed || array(
    select done.subscription
    from jsonb_to_recordset(notified.pushed) as done(place integer, subscription uuid)
    where done.place = receipt.place
  )
  where receipt.job_id = notified.job and receipt.place = any (places);
  delete from signtusk.push_subscriptions as known where known.id = any (gone);
end
$$;

-- Marks rows of a user as read: those of `ids`, or all. Rows of other users are not touched. It locks first the rows,
-- then the count, in the order of the web app's own updates. If a deadlock still occurs, for example over two rows,
-- this function gives up long before the server detects it, and starts again.
create or replace function signtusk.read_notifications(reader uuid, ids uuid[])
returns table (updated bigint, unread bigint, version bigint)
language plpgsql security definer set search_path = '' set lock_timeout = '300ms' as $$
#variable_conflict use_column
declare
  marked bigint;
begin
  for attempt in 1..8 loop
    begin
      perform from public.notifications as entry
      where entry.user_id = reader and entry.is_read is not true and (ids is null or entry.id = any (ids))
      order by entry.id for update;
      update public.notifications as entry set is_read = true, updated_at = now()
      where entry.user_id = reader and entry.is_read is not true and (ids is null or entry.id = any (ids));
      get diagnostics marked = row_count;
      exit;
    exception when lock_not_available then
      if attempt = 8 then
        raise exception 'the notifications are locked by others' using errcode = 'serialization_failure';
      end if;
    end;
  end loop;
  return query
  select marked, coalesce(counted.unread, 0), coalesce(counted.version, 0)
  from (select) as always
  left join signtusk.unread_counts as counted on counted.user_id = reader;
end
$$;

-- Returns null if the API accepts the notification, else the error, so that the job which announces it accepts it.
-- Texts must not contain control characters, or marks that change the text direction.
create or replace function signtusk.notification_fault(
  recipient uuid, title text, message text, metadata jsonb, action_url text
) returns text
language sql immutable set search_path = '' as $$
  select case
    when recipient is null then 'recipient: a user is missing'
    when title is null or title !~ '[^\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'
      then 'title: must not be blank'
    when length(title) > 255 then 'title: must not be longer than 255 characters'
    when title ~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]'
      then 'title: must not hold control characters'
    when message is null or message !~ '[^\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'
      then 'message: must not be blank'
    when length(message) > 5000 then 'message: must not be longer than 5000 characters'
    when message ~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]'
      then 'message: must not hold control characters'
    when jsonb_typeof(metadata) not in ('object', 'null') then 'metadata: must be an object'
    when not signtusk.is_readable(metadata)
      then 'metadata: nested deeper than 100 levels, or a number larger than a double'
    when octet_length(metadata::text) > 16384 then 'metadata: must not be longer than 16384 bytes'
    when length(action_url) > 499 then 'action_url: must not be longer than 499 characters'
    when action_url !~ ('^(/([!-.0-\[\]-~][!-~]*)?'
      '|https?://([a-zA-Z0-9-]+\.)*[a-zA-Z][a-zA-Z0-9-]*(:([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?([/?#][!-~]*)?)$')
      then 'action_url: must be a path that begins with one slash, or an http or https URL without credentials'
  end
$$;

-- A function for the web app's server side. The row exists once the caller's transaction is committed. The job that is
-- written with it announces it, in real time and by push.
create or replace function public.signtusk_create_notification(
  recipient uuid,
  notification_type text,
  title text,
  message text,
  metadata jsonb default '{}',
  action_url text default null
) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  job uuid;
  written uuid;
  fault text := signtusk.notification_fault(recipient, title, message, metadata, action_url);
begin
  if fault is not null then
    raise exception '%', fault using errcode = 'check_violation';
  end if;
  if notification_type = 'bulk_notification'
    or not exists (select from signtusk.notification_types as kind where kind.type = notification_type)
  then
    raise exception 'no such type of notification: %', notification_type using errcode = 'check_violation';
  end if;
  job := public.signtusk_enqueue_job('notification', jsonb_build_object('type', notification_type,
    'userId', recipient, 'title', title, 'message', message, 'data', metadata, 'actionUrl', action_url));
  select (told.notification ->> 'id')::uuid into written
  from signtusk.notify(job::text, jsonb_build_array(jsonb_build_object('place', 0, 'type', notification_type,
    'userId', recipient, 'title', title, 'message', message, 'metadata', metadata, 'actionUrl', action_url))) as told;
  return written;
end
$$;

-- Marks rows of a user as read, all without `ids`, and returns the remaining unread count.
create or replace function public.signtusk_read_notifications(reader uuid, ids uuid[] default null) returns bigint
language sql security definer set search_path = '' as $$
  select marked.unread from signtusk.read_notifications(reader, ids) as marked
$$;

create or replace function public.signtusk_unread_count(reader uuid) returns bigint
language sql stable security definer set search_path = '' as $$
  select coalesce((select counted.unread from signtusk.unread_counts as counted where counted.user_id = reader), 0)
$$;

-- Notifies the owner of a request when a signer declines. The web app writes either of two columns.
create or replace function signtusk.tell_of_declined_signer() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  request record;
begin
  select * into request from public.signing_requests where id = new.signing_request_id;
  if request.initiated_by is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', request.initiated_by,
      'title', 'A signer declined',
      'message', format('%s declined to sign %s.',
        coalesce(signtusk.one_line(new.signer_name), signtusk.one_line(new.signer_email), 'A signer'),
        coalesce(signtusk.one_line(request.title), 'a document')),
      'data', jsonb_build_object('event', 'signer_declined', 'requestId', request.id, 'signerId', new.id,
        'signerEmail', new.signer_email, 'reason', signtusk.one_line(new.decline_reason)),
      'actionUrl', '/documents/' || request.id));
  end if;
  return null;
end
$$;

create or replace trigger signtusk_declined after update on public.signing_request_signers
  for each row
  when ((new.status = 'declined' or new.signer_status = 'declined')
    and not (coalesce(old.status, '') = 'declined' or coalesce(old.signer_status, '') = 'declined'))
  execute function signtusk.tell_of_declined_signer();

-- Notifies the owner of a request when a mail to one of its signers has bounced permanently.
create or replace function signtusk.tell_of_bounced_signer() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  target record;
begin
  select request.id, request.initiated_by, request.title, signer.id as signer_id, signer.signer_name,
    signer.signer_email
  into target
  from signtusk.email_ledger as mail
  join public.signing_requests as request on request.id = signtusk.uuid_of(mail.request_id)
  join public.signing_request_signers as signer
    on signer.signing_request_id = request.id and signtusk.normal(signer.signer_email) = signtusk.normal(mail.recipient)
  where mail.key = new.key
  order by signer.id::text = mail.signer_id desc
  limit 1;
  if target.initiated_by is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', target.initiated_by,
      'title', 'Email to a signer bounced',
      'message', format('The email to %s about %s bounced: the address does not exist or does not accept email.',
        coalesce(signtusk.one_line(target.signer_name), target.signer_email),
        coalesce(signtusk.one_line(target.title), 'a document')),
      'data', jsonb_build_object('event', 'signer_bounced', 'requestId', target.id, 'signerId', target.signer_id,
        'signerEmail', target.signer_email),
      'actionUrl', '/documents/' || target.id));
  end if;
  return null;
end
$$;

create or replace trigger signtusk_bounced after insert on signtusk.email_events
  for each row when (new.type = 'bounced' and new.key is not null)
  execute function signtusk.tell_of_bounced_signer();

-- Returns a user's text as one line that a notification may contain; null if it is empty.
create or replace function signtusk.one_line(value text) returns text
language sql immutable set search_path = '' as $$
  select nullif(left(btrim(regexp_replace(value, '[[:cntrl:]\u2028-\u202e\ufeff]+', ' ', 'g')), 200), '')
$$;

alter table signtusk.notification_types enable row level security;
alter table signtusk.unread_counts enable row level security;
alter table signtusk.push_subscriptions enable row level security;
alter table signtusk.notification_receipts enable row level security;

-- Only the functions above write rows: the functions' role may read the rows and call these functions.
do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
  ours constant text[] := array['signtusk.notify(text, jsonb)',
    'signtusk.notified(text, integer[], jsonb, uuid[])', 'signtusk.read_notifications(uuid, uuid[])'];
  apps constant text[] := array['public.signtusk_create_notification(uuid, text, text, text, jsonb, text)',
    'public.signtusk_read_notifications(uuid, uuid[])', 'public.signtusk_unread_count(uuid)'];
  kept text;
  name text;
  who text;
begin
  foreach name in array ours || apps loop
    execute format('revoke all on function %s from public', name);
  end loop;
  foreach who in array array['anon', 'authenticated'] loop
    if exists (select from pg_roles where rolname = who) then
      foreach name in array ours || apps loop
        execute format('revoke all on function %s from %I', name, who);
      end loop;
    end if;
  end loop;
  if exists (select from pg_roles where rolname = 'service_role') then
    foreach name in array apps loop
      execute format('grant execute on function %s to service_role', name);
    end loop;
  end if;

  if exists (select from pg_roles where rolname = functions) then
    foreach name in array ours loop
      execute format('grant execute on function %s to %I', name, functions);
    end loop;
    foreach kept in array array['notifications', 'notification_preferences'] loop
      execute format('grant select on public.%I to %I', kept, functions);
      if not exists (
        select from pg_policies
        where schemaname = 'public' and tablename = kept and policyname = 'signtusk functions read'
      ) then
        execute format('create policy "signtusk functions read" on public.%I for select to %I using (true)',
          kept, functions);
      end if;
    end loop;
    execute format('grant select on signtusk.notification_types, signtusk.unread_counts to %I', functions);
    execute format('grant select, insert, update, delete on signtusk.push_subscriptions to %I', functions);
    foreach kept in array array['notification_types', 'unread_counts', 'push_subscriptions'] loop
      if not exists (
        select from pg_policies
        where schemaname = 'signtusk' and tablename = kept and policyname = 'signtusk functions'
      ) then
        execute format('create policy "signtusk functions" on signtusk.%I to %I using (true) with check (true)',
          kept, functions);
      end if;
    end loop;
  end if;
end
$$;
