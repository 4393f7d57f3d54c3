SELECT json_build_object(
    'domain', lower(domain COLLATE "C"), 'companyLogoUrl', company_logo_url, 'primaryColor', primary_color,
    'secondaryColor', secondary_color, 'emailFromName', email_from_name, 'emailFromAddress', email_from_address,
    'enforceTotp', enforce_totp, 'passwordMinLength', password_min_length,
    'passwordRequireSpecial', password_require_special, 'sessionTimeoutMinutes', session_timeout_minutes,
    'allowedIpRanges', allowed_ip_ranges, 'customSmtpEnabled', custom_smtp_enabled,
    'defaultRetentionDays', default_retention_days, 'requireApprovalWorkflow', require_approval_workflow,
    'autoReminderEnabled', auto_reminder_enabled, 'autoReminderDays', auto_reminder_days,
    'ssoEnabled', sso_enabled, 'ssoProvider', sso_provider, 'apiAccessEnabled', api_access_enabled
  )::text AS value, NULL::text AS parties
FROM public.domain_settings
WHERE lower(domain COLLATE "C") = $1
ORDER BY domain = $1 DESC, domain
LIMIT 1
