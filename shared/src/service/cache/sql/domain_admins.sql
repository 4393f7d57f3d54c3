SELECT json_build_object(
    'domain', $1,
    'items', json_agg(json_build_object(
      'userId', admin.admin_user_id, 'email', profile.email, 'fullName', profile.full_name, 'role', admin.role,
      'isVerified', admin.is_verified
    ) ORDER BY profile.email, admin.admin_user_id)
  )::text AS value, NULL::text AS parties
FROM public.domain_administrators AS admin
LEFT JOIN public.user_profiles AS profile ON profile.id = admin.admin_user_id
WHERE lower(admin.domain COLLATE "C") = $1
HAVING count(*) > 0
