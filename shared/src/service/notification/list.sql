SELECT signtusk.notification_json(entry) AS item
FROM public.notifications AS entry
WHERE user_id = $1::uuid
  AND ($2 IS NULL OR (is_read IS NOT TRUE) = $2)
  AND ($3 IS NULL OR type = $3)
  AND ($4 IS NULL
    OR (signtusk.listed_at(created_at), id) < (timestamptz 'epoch' + $4 * interval '1 microsecond', signtusk.uuid_of($5)))
ORDER BY signtusk.listed_at(created_at) DESC, id DESC
LIMIT $6
