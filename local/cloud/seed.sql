-- Sample data of the local cloud: an owner, a document, and a signing request with three signers. Running it again
-- puts the sample rows back to how they were and leaves every other row alone.

insert into public.user_profiles (id, email, full_name, first_name, last_name, company_name, company_domain, plan, account_type, email_verified, onboarding_completed)
values ('01985c00-0000-7000-8000-000000000001', 'olivia.owner@acme.example', 'Olivia Owner', 'Olivia', 'Owner', 'Acme', 'acme.example', 'pro', 'enterprise', true, true)
on conflict (id) do update set email = excluded.email, full_name = excluded.full_name, updated_at = now();

insert into public.documents (id, title, description, file_name, file_url, file_size_mb, status, user_id, user_email, document_type)
values ('01985c00-0000-7000-8000-000000000010', 'Lease for 12 Harbour Street', 'Two years, from January', 'lease.pdf', 'documents/01985c00-0000-7000-8000-000000000010/lease.pdf', 0.2, 'pending', '01985c00-0000-7000-8000-000000000001', 'olivia.owner@acme.example', 'contract')
on conflict (id) do update set title = excluded.title, status = excluded.status, updated_at = now();

insert into public.signing_requests (id, document_template_id, title, description, document_sign_id, initiated_by, initiated_at, expires_at, status, total_signers, completed_signers, viewed_signers, signature_type, signing_order, metadata)
values ('01985c00-0000-7000-8000-000000000100', '01985c00-0000-7000-8000-000000000010', 'Lease for 12 Harbour Street', 'Please sign by the end of next week.', 'LEASE-12', '01985c00-0000-7000-8000-000000000001', now(), now() + interval '14 days', 'initiated', 3, 0, 0, 'multi', 'parallel', '{"signing_mode": "parallel", "message": "Please sign by the end of next week."}')
on conflict (id) do update set initiated_at = excluded.initiated_at, expires_at = excluded.expires_at, status = excluded.status, completed_signers = 0, viewed_signers = 0, updated_at = now();

insert into public.signing_request_signers (id, signing_request_id, signer_email, signer_name, signing_order, schema_signer_id, status, signer_status)
values
  ('01985c00-0000-7000-8000-000000000201', '01985c00-0000-7000-8000-000000000100', 'ada.tenant@example.com', 'Ada Tenant', 1, 'signer-1', 'pending', 'initiated'),
  ('01985c00-0000-7000-8000-000000000202', '01985c00-0000-7000-8000-000000000100', 'ben.tenant@example.com', 'Ben Tenant', 2, 'signer-2', 'pending', 'initiated'),
  ('01985c00-0000-7000-8000-000000000203', '01985c00-0000-7000-8000-000000000100', 'cleo.guarantor@example.com', 'Cleo Guarantor', 3, 'signer-3', 'pending', 'initiated')
on conflict (id) do update set status = excluded.status, signer_status = excluded.signer_status, reminder_count = 0, signed_at = null, updated_at = now();
