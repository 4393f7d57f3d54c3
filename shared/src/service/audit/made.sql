NOT $9 AND user_id IS DISTINCT FROM $10 AND domain IS DISTINCT FROM $11
    AND $2 IS NOT NULL AND EXISTS (
      SELECT FROM public.signing_requests AS request
      LEFT JOIN public.user_profiles AS maker ON maker.id = request.initiated_by
      WHERE request.id = $2::uuid
        AND (request.initiated_by::text = $10 OR signtusk.domain_of(maker.email) = $11))