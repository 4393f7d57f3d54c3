-- The web app's tables that these functions read. An existing table is kept: names, columns and rows stay, and only
-- missing columns are added. No foreign key references users, because jobs do not look users up.
--
-- A table that is created here gets row-level security without a policy for the web app's visitors. Without it,
-- Supabase opens every table in `public` to them.

do $$
begin
  if to_regclass('public.user_profiles') is null then
    create table public.user_profiles (
      id uuid primary key default gen_random_uuid(),
      email text unique not null
    );
    alter table public.user_profiles enable row level security;
  end if;

  if to_regclass('public.documents') is null then
    create table public.documents (
      id uuid primary key default gen_random_uuid(),
      title text not null,
      user_id uuid not null,
      user_email text not null,
      status text not null default 'draft'
        check (status in ('draft', 'ready', 'published', 'pending', 'completed', 'expired', 'cancelled'))
    );
    alter table public.documents enable row level security;
  end if;

  if to_regclass('public.signing_requests') is null then
    create table public.signing_requests (
      id uuid primary key default gen_random_uuid(),
      document_template_id uuid references public.documents (id) on delete set null,
      status text not null default 'initiated'
        check (status in ('initiated', 'in_progress', 'completed', 'declined', 'expired', 'cancelled', 'error'))
    );
    alter table public.signing_requests enable row level security;
  end if;

  if to_regclass('public.signing_request_signers') is null then
    create table public.signing_request_signers (
      id uuid primary key default gen_random_uuid(),
      signing_request_id uuid not null references public.signing_requests (id) on delete cascade,
      signer_email text not null,
      status text not null default 'pending'
        check (status in ('pending', 'sent', 'viewed', 'signed', 'declined', 'expired', 'cancelled'))
    );
    alter table public.signing_request_signers enable row level security;
  end if;
end
$$;

alter table public.user_profiles
  add column if not exists full_name text,
  add column if not exists avatar_url text,
  add column if not exists plan text default 'free',
  add column if not exists subscription_status text default 'active',
  add column if not exists subscription_expires_at timestamptz,
  add column if not exists documents_count integer default 0,
  add column if not exists storage_used_mb decimal default 0,
  add column if not exists monthly_documents_used integer default 0,
  add column if not exists monthly_limit integer default 5,
  add column if not exists is_admin boolean default false,
  add column if not exists last_login_at timestamptz,
  add column if not exists first_name text,
  add column if not exists last_name text,
  add column if not exists company_name text,
  add column if not exists company_domain text,
  add column if not exists industry_field text,
  add column if not exists employee_count integer,
  add column if not exists job_title text,
  add column if not exists department text,
  add column if not exists phone_number text,
  add column if not exists account_type text,
  add column if not exists email_verified boolean default false,
  add column if not exists company_verified boolean default false,
  add column if not exists onboarding_completed boolean default false,
  add column if not exists organization_id uuid,
  add column if not exists corporate_account_id uuid,
  add column if not exists corporate_role text,
  add column if not exists account_status text default 'active',
  add column if not exists suspended_at timestamptz,
  add column if not exists suspended_by uuid,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.documents
  add column if not exists description text,
  add column if not exists file_name text,
  add column if not exists file_url text,
  add column if not exists file_size_mb decimal,
  add column if not exists signers jsonb default '[]',
  add column if not exists signature_fields jsonb default '[]',
  add column if not exists settings jsonb default '{}',
  add column if not exists completion_percentage integer default 0,
  add column if not exists reminder_count integer default 0,
  add column if not exists expires_at timestamptz,
  add column if not exists qr_code_url text,
  add column if not exists pdf_url text,
  add column if not exists template_url text,
  add column if not exists schemas jsonb,
  add column if not exists document_type text,
  add column if not exists category text,
  add column if not exists metadata jsonb default '{}',
  add column if not exists content text,
  add column if not exists completed_at timestamptz,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.signing_requests
  add column if not exists document_template_id uuid references public.documents (id) on delete set null,
  add column if not exists title text,
  add column if not exists description text,
  add column if not exists document_sign_id text,
  add column if not exists initiated_by uuid,
  add column if not exists initiated_at timestamptz default now(),
  add column if not exists expires_at timestamptz,
  add column if not exists document_status text,
  add column if not exists total_signers integer default 0,
  add column if not exists completed_signers integer default 0,
  add column if not exists viewed_signers integer default 0,
  add column if not exists require_totp boolean default false,
  add column if not exists totp_required_by uuid,
  add column if not exists signature_type text,
  add column if not exists signing_order text,
  add column if not exists metadata jsonb default '{}',
  add column if not exists final_pdf_url text,
  add column if not exists error_message text,
  add column if not exists decline_reason text,
  add column if not exists completed_at timestamptz,
  add column if not exists last_reminder_sent timestamptz,
  add column if not exists last_modified_by uuid,
  add column if not exists last_modified_at timestamptz,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

alter table public.signing_request_signers
  add column if not exists signer_id uuid,
  add column if not exists signer_name text,
  add column if not exists signing_order integer default 1,
  add column if not exists schema_signer_id text,
  add column if not exists signer_status text default 'initiated',
  add column if not exists signature_data text,
  add column if not exists signature_method text,
  add column if not exists signature_metadata jsonb,
  add column if not exists sent_at timestamptz,
  add column if not exists viewed_at timestamptz,
  add column if not exists signed_at timestamptz,
  add column if not exists declined_at timestamptz,
  add column if not exists decline_reason text,
  add column if not exists access_token text,
  add column if not exists reminder_count integer default 0,
  add column if not exists last_reminder_sent timestamptz,
  add column if not exists location jsonb,
  add column if not exists ip_address inet,
  add column if not exists user_agent text,
  add column if not exists totp_verified boolean default false,
  add column if not exists totp_verified_at timestamptz,
  add column if not exists totp_verification_ip inet,
  add column if not exists created_at timestamptz default now(),
  add column if not exists updated_at timestamptz default now();

create index if not exists signing_request_signers_of_request
  on public.signing_request_signers (signing_request_id);
