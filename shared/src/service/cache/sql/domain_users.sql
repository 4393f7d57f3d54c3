SELECT json_build_object(
    'domain', $1,
    'total', max(member.total),
    'items', json_agg(json_build_object(
      'userId', member.user_id, 'email', member.email, 'fullName', member.full_name, 'role', member.role,
      'department', member.department, 'isActive', member.is_active
    ) ORDER BY member.email, member.user_id)
  )::text AS value, NULL::text AS parties
FROM (
  SELECT held.user_id, held.role, held.department, held.is_active, profile.email, profile.full_name,
    count(*) OVER () AS total
  FROM public.domain_user_roles AS held
  LEFT JOIN public.user_profiles AS profile ON profile.id = held.user_id
  WHERE lower(held.domain COLLATE "C") = $1
  ORDER BY profile.email, held.user_id
  LIMIT 1000
) AS member
HAVING count(*) > 0
