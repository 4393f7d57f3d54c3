SELECT json_build_object(
    'id', request.id, 'title', request.title, 'description', request.description,
    'documentSignId', request.document_sign_id, 'initiatedBy', request.initiated_by,
    'initiatedAt', signtusk.instant(request.initiated_at), 'expiresAt', signtusk.instant(request.expires_at),
    'status', request.status, 'documentStatus', request.document_status, 'totalSigners', request.total_signers,
    'completedSigners', request.completed_signers, 'viewedSigners', request.viewed_signers,
    'requireTotp', request.require_totp, 'signatureType', request.signature_type,
    'signingOrder', request.signing_order, 'signingMode', request.metadata ->> 'signing_mode',
    'message', request.metadata ->> 'message', 'finalPdfUrl', request.final_pdf_url,
    'declineReason', request.decline_reason, 'completedAt', signtusk.instant(request.completed_at),
    'signers', (
      SELECT coalesce(json_agg(json_build_object(
        'id', signer.id, 'name', signer.signer_name, 'email', signer.signer_email, 'order', signer.signing_order,
        'schemaSignerId', signer.schema_signer_id, 'status', signer.status, 'signerStatus', signer.signer_status,
        'sentAt', signtusk.instant(signer.sent_at), 'viewedAt', signtusk.instant(signer.viewed_at),
        'signedAt', signtusk.instant(signer.signed_at), 'declinedAt', signtusk.instant(signer.declined_at),
        'declineReason', signer.decline_reason, 'reminderCount', signer.reminder_count,
        'totpVerified', signer.totp_verified
      ) ORDER BY signer.signing_order, signer.id), '[]')
      FROM public.signing_request_signers AS signer
      WHERE signer.signing_request_id = request.id
    ),
    'document', (
      SELECT json_build_object(
        'id', document.id, 'title', document.title, 'pdfUrl', document.pdf_url, 'fileUrl', document.file_url)
      FROM public.documents AS document
      WHERE document.id = request.document_template_id
    )
  )::text AS value, signtusk.request_parties(request.id)::text AS parties
FROM public.signing_requests AS request
WHERE request.id = $1::uuid
