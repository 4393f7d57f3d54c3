-- Notifies the sender of a mail that was not delivered, also if the reason is temporary. A provider has given the mail
-- up if it reports a bounce, or if it accepted the mail but did not send it.

create or replace function signtusk.tell_of_bounced_signer() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  target record;
  mail signtusk.email_ledger;
  gone constant boolean := new.type = 'bounced';
  why constant text := case new.type
    when 'bounced' then 'bounced: the address does not exist or does not accept email.'
    when 'soft-bounced' then 'was not delivered: the mailbox is full or its server is temporarily unavailable.'
    else 'was not sent: the email provider rejected it.'
  end;
begin
  -- Each mail causes one notification, and one more if its address turns out to be invalid permanently.
  if exists (
    select from signtusk.email_events as earlier
    where earlier.key = new.key and (earlier.provider, earlier.event_id) <> (new.provider, new.event_id)
      and (earlier.type = 'bounced' or not gone and earlier.type in ('soft-bounced', 'failed'))
  ) then
    return null;
  end if;
  select * into mail from signtusk.email_ledger as entry where entry.key = new.key;
  select request.id, request.initiated_by, request.title, signer.id as signer_id, signer.signer_name,
    signer.signer_email
  into target
  from public.signing_requests as request
  join public.signing_request_signers as signer
    on signer.signing_request_id = request.id and lower(signer.signer_email) = lower(mail.recipient)
  where request.id = signtusk.uuid_of(mail.request_id)
  order by signer.id::text = mail.signer_id desc
  limit 1;
  if target.initiated_by is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', target.initiated_by,
      'title', case when gone then 'Email to a signer bounced' else 'Email to a signer was not delivered' end,
      'message', format('The email to %s about %s %s',
        coalesce(signtusk.one_line(target.signer_name), target.signer_email),
        coalesce(signtusk.one_line(target.title), 'a document'), why),
      'data', jsonb_build_object('event', case when gone then 'signer_bounced' else 'signer_undelivered' end,
        'requestId', target.id, 'signerId', target.signer_id, 'signerEmail', target.signer_email),
      'actionUrl', '/documents/' || target.id));
  elsif mail.request_id is null and signtusk.uuid_of(mail.acting_user) is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', signtusk.uuid_of(mail.acting_user),
      'title', case when gone then 'An email bounced' else 'An email was not delivered' end,
      'message', format('The email to %s %s', signtusk.one_line(mail.recipient), why),
      'data', jsonb_build_object('event', case when gone then 'recipient_bounced' else 'recipient_undelivered' end,
        'recipientEmail', mail.recipient, 'kind', mail.kind, 'jobId', mail.job_id)));
  end if;
  return null;
end
$$;

create or replace trigger signtusk_bounced after insert on signtusk.email_events
  for each row when (new.type in ('bounced', 'soft-bounced', 'failed') and new.key is not null)
  execute function signtusk.tell_of_bounced_signer();

-- Returns a user's text as one line that a notification may contain; null if it is empty. Marks that change the text
-- direction are removed.
create or replace function signtusk.one_line(value text) returns text
language sql immutable set search_path = '' as $$
  select nullif(left(btrim(regexp_replace(value,
    '[[:cntrl:]\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+', ' ', 'g')), 200), '')
$$;
