SELECT json_build_object(
    'userId', user_id, 'emailNotifications', email_notifications, 'pushNotifications', push_notifications,
    'signatureRequests', signature_requests, 'documentUpdates', document_updates, 'reminders', reminders,
    'marketing', marketing, 'progressUpdates', progress_updates, 'documentViewedEmails', document_viewed_emails,
    'otherSignerNotifications', other_signer_notifications
  )::text AS value, NULL::text AS parties
FROM public.notification_preferences
WHERE user_id = $1::uuid
