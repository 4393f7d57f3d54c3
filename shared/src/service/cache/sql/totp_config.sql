SELECT json_build_object(
    'userId', user_id, 'enabled', enabled, 'loginMfaEnabled', login_mfa_enabled,
    'signingMfaEnabled', signing_mfa_enabled, 'defaultRequireTotp', default_require_totp,
    'organizationEnforced', organization_enforced, 'policyComplianceDate', signtusk.instant(policy_compliance_date)
  )::text AS value, NULL::text AS parties
FROM public.user_totp_configs
WHERE user_id = $1::uuid
