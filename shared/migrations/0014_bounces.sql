-- A mail without a request, such as one of a bulk, has no owner other than the acting user of its job.

alter table signtusk.email_ledger
  -- The acting user of the job; null if it is the service itself, or unknown.
  add column if not exists acting_user text;

-- Notifies the owner of a request when a mail to one of its signers has bounced permanently. For a mail without a
-- request, it notifies the acting user. If neither is known, only the mail's events show the bounce.
create or replace function signtusk.tell_of_bounced_signer() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  target record;
  mail signtusk.email_ledger;
begin
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
      'title', 'Email to a signer bounced',
      'message', format('The email to %s about %s bounced: the address does not exist or does not accept email.',
        coalesce(signtusk.one_line(target.signer_name), target.signer_email),
        coalesce(signtusk.one_line(target.title), 'a document')),
      'data', jsonb_build_object('event', 'signer_bounced', 'requestId', target.id, 'signerId', target.signer_id,
        'signerEmail', target.signer_email),
      'actionUrl', '/documents/' || target.id));
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
