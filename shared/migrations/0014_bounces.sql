-- A mail that belongs to no request, such as one of a bulk, has nobody who owns it but the user that its job acts for.

alter table signtusk.email_ledger
  -- Who the job acts for; null where it is the service itself, or not known.
  add column if not exists acting_user text;

-- Who started a request is told when a mail to one of its signers came back for good; of a mail without a request, who it
-- was sent for. Where neither is known there is nobody to tell, and the mail's events show it.
create or replace function signtusk.tell_of_bounced_signer() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  met record;
  mail signtusk.email_ledger;
begin
  select * into mail from signtusk.email_ledger as entry where entry.key = new.key;
  select request.id, request.initiated_by, request.title, signer.id as signer_id, signer.signer_name,
    signer.signer_email
  into met
  from public.signing_requests as request
  join public.signing_request_signers as signer
    on signer.signing_request_id = request.id and lower(signer.signer_email) = lower(mail.recipient)
  where request.id = signtusk.uuid_of(mail.request_id)
  order by signer.id::text = mail.signer_id desc
  limit 1;
  if met.initiated_by is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', met.initiated_by,
      'title', 'Email to a signer bounced',
      'message', format('The email to %s about %s bounced: the address does not exist or does not accept email.',
        coalesce(signtusk.one_line(met.signer_name), met.signer_email),
        coalesce(signtusk.one_line(met.title), 'a document')),
      'data', jsonb_build_object('event', 'signer_bounced', 'requestId', met.id, 'signerId', met.signer_id,
        'signerEmail', met.signer_email),
      'actionUrl', '/documents/' || met.id));
  elsif mail.request_id is null and signtusk.uuid_of(mail.acting_user) is not null then
    perform public.signtusk_enqueue_job('notification', jsonb_build_object('type', 'general',
      'userId', signtusk.uuid_of(mail.acting_user),
      'title', 'An email bounced',
      'message', format('The email to %s bounced: the address does not exist or does not accept email.',
        signtusk.one_line(mail.recipient)),
      'data', jsonb_build_object('event', 'recipient_bounced', 'recipientEmail', mail.recipient, 'kind', mail.kind,
        'jobId', mail.job_id)));
  end if;
  return null;
end
$$;
