-- Clean-up reads what it removes and no more, page by page, and removes with a request what was signed for it.

-- A page of files begins where the last one ended, and a file is found again by what the page said of it.
create index if not exists temp_files_by_age on public.temp_files (created_at, (id::text));
drop index if exists public.temp_files_by_time;

create index if not exists signing_requests_ended_by_age on public.signing_requests (created_at, id)
  where status in ('completed', 'declined', 'expired', 'cancelled');
drop index if exists public.signing_requests_ended;

-- Until when a request is evidence: the days of `signtusk.retention`, or those that the owner's domain has set where they
-- are more, from the last thing that happened to it.
create or replace function signtusk.kept_until(request public.signing_requests) returns timestamptz
language sql stable set search_path = '' as $$
  -- A thousand years are for ever, and the sum must stay an instant.
  select signtusk.listed_at(greatest(request.created_at, request.completed_at, request.updated_at))
    + make_interval(days => least(365000, greatest(
      (select days from signtusk.retention where what = 'requests'),
      -- However its rows spell the domain, and where there are several, the longest.
      (select max(domain.default_retention_days)
        from public.user_profiles as maker
        join public.domain_settings as domain on lower(domain.domain collate "C") = signtusk.domain_of(maker.email)
        where maker.id = request.initiated_by))))
$$;

-- A page of requests that ended and were made before `before`, after a place in the order of their making. Those that
-- must be kept are in it and say so, so that the next page begins after them.
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

-- Removes those of these requests, with their signers, that may go; whatever the caller thinks of the others, they stay.
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
