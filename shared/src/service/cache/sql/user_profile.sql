SELECT json_build_object(
    'id', id, 'email', email, 'fullName', full_name, 'firstName', first_name, 'lastName', last_name,
    'avatarUrl', avatar_url, 'accountType', account_type, 'companyName', company_name,
    'companyDomain', company_domain, 'industryField', industry_field, 'employeeCount', employee_count,
    'jobTitle', job_title, 'department', department, 'phoneNumber', phone_number, 'plan', plan,
    'subscriptionStatus', subscription_status, 'subscriptionExpiresAt', signtusk.instant(subscription_expires_at),
    'documentsCount', documents_count, 'storageUsedMb', storage_used_mb,
    'monthlyDocumentsUsed', monthly_documents_used, 'monthlyLimit', monthly_limit,
    'emailVerified', email_verified, 'companyVerified', company_verified,
    'onboardingCompleted', onboarding_completed, 'createdAt', signtusk.instant(created_at)
  )::text AS value, NULL::text AS parties
FROM public.user_profiles
WHERE id = $1::uuid
