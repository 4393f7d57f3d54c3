SELECT json_build_object(
    'id', id, 'title', title, 'description', description, 'documentSignId', document_sign_id,
    'documentId', document_template_id, 'initiatedBy', initiated_by, 'initiatedAt', signtusk.instant(initiated_at),
    'expiresAt', signtusk.instant(expires_at), 'status', status, 'documentStatus', document_status,
    'totalSigners', total_signers, 'completedSigners', completed_signers, 'viewedSigners', viewed_signers,
    'requireTotp', require_totp, 'signatureType', signature_type, 'signingOrder', signing_order,
    'signingMode', metadata ->> 'signing_mode', 'message', metadata ->> 'message', 'finalPdfUrl', final_pdf_url,
    'declineReason', decline_reason, 'completedAt', signtusk.instant(completed_at)
  )::text AS value, signtusk.request_parties(id)::text AS parties
FROM public.signing_requests
WHERE id = $1::uuid
