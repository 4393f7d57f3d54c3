SELECT json_build_object(
    'requestId', request.id, 'status', request.status, 'documentStatus', request.document_status,
    'expiresAt', signtusk.instant(request.expires_at), 'completedAt', signtusk.instant(request.completed_at),
    'finalPdfUrl', request.final_pdf_url,
    'progress', (
      SELECT json_build_object(
        'signed', count(*) FILTER (WHERE signer.status = 'signed'),
        'viewed', count(*) FILTER (WHERE signer.viewed_at IS NOT NULL OR signer.status IN ('viewed', 'signed')),
        'declined', count(*) FILTER (WHERE signer.status = 'declined'),
        'total', count(*),
        'percentage', coalesce(round(100.0 * count(*) FILTER (WHERE signer.status = 'signed') / nullif(count(*), 0)), 0)
      )
      FROM public.signing_request_signers AS signer
      WHERE signer.signing_request_id = request.id
    )
  )::text AS value, signtusk.request_parties(request.id)::text AS parties
FROM public.signing_requests AS request
WHERE request.id = $1::uuid
