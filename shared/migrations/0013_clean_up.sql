-- Cleanup reads only the rows that it deletes, page by page, and deletes the signed document together with its request.

-- A page of files starts after the previous one, and a file is found again by its creation time and id.
create index if not exists temp_files_by_age on public.temp_files (created_at, (id::text));
drop index if exists public.temp_files_by_time;

create index if not exists signing_requests_ended_by_age on public.signing_requests (created_at, id)
  where status in ('completed', 'declined', 'expired', 'cancelled');
drop index if exists public.signing_requests_ended;

-- Returns until when a request is evidence, counted from its last event: the days of `signtusk.retention`, or those of
-- the owner's domain if they are more.
create or replace function signtusk.kept_until(request public.signing_requests) returns timestamptz
language sql stable set search_path = '' as $$
  -- A thousand years count as forever, and the sum must remain a valid instant.
  select signtusk.listed_at(greatest(request.created_at, request.completed_at, request.updated_at))
    + make_interval(days => least(365000, greatest(
      (select days from signtusk.retention where what = 'requests'),
      -- In any spelling of the domain; if there are several rows, the longest retention.
      (select max(domain.default_retention_days)
        from public.user_profiles as maker
        join public.domain_settings as domain on lower(domain.domain collate "C") = signtusk.domain_of(maker.email)
        where maker.id = request.initiated_by))))
$$;

-- Returns a page of ended requests that were created before `before`, after a position in the order of their creation.
-- Requests that must be kept are included and marked, so that the next page starts after them.
create or replace function signtusk.ended_requests(
  before timestamptz, after_at timestamptz, after_id uuid, most integer
) returns table (id uuid, created_at timestamptz, final_pdf_url text, may_go boolean)
language sql stable security definer set search_path = '' as $$
  select request.id, request.created_at, request.final_pdf_url,
    greatest(request.created_at, request.completed_at, request.updated_at) < before
      and signtusk.kept_until(request) < now()
  from public.signing_requests as request
  where request.status in ('completed', 'declined', 'expired', 'cancelled')
    and request.created_at < before
    and (request.created_at, request.id) > (after_at, after_id)
  order by request.created_at, request.id
  limit most
$$;

-- Deletes those of these requests, with their signers, whose retention is over. Others stay, whatever the caller
-- requests.
create or replace function signtusk.remove_ended_requests(before timestamptz, ids uuid[])
returns bigint language plpgsql volatile security definer set search_path = '' as $$
declare
  removed bigint;
begin
  delete from public.signing_requests as request
  where request.id = any (ids)
    and request.status in ('completed', 'declined', 'expired', 'cancelled')
    and greatest(request.created_at, request.completed_at, request.updated_at) < before
    and signtusk.kept_until(request) < now();
  get diagnostics removed = row_count;
  return removed;
end
$$;

revoke all on function signtusk.kept_until(public.signing_requests) from public;
revoke all on function signtusk.ended_requests(timestamptz, timestamptz, uuid, integer) from public;
revoke all on function signtusk.remove_ended_requests(timestamptz, uuid[]) from public;

do $$
declare
  functions text := coalesce(nullif(current_setting('signtusk.functions_role', true), ''), 'functions');
begin
  if exists (select from pg_roles where rolname = functions) then
    execute format('grant execute on function '
      'signtusk.ended_requests(timestamptz, timestamptz, uuid, integer), '
      'signtusk.remove_ended_requests(timestamptz, uuid[]) to %I', functions);
  end if;
end
$$;
