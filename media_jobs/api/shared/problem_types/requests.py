"""Errors of requests: the sender can mend them."""

from media_jobs.api.shared.problem_types.base import ProblemType

TYPES = {
    "bad_request": ProblemType(
        "Malformed request",
        "The request cannot be read: it breaks off in the middle, its chunks are malformed, or it is no "
        "well-formed form.",
        "Send it whole, as your HTTP library does by itself.",
    ),
    "wrong_host": ProblemType(
        "Unknown host",
        "The header Host names a host that this service does not serve.",
        "Use the address that the operator gives. The operator sets PUBLIC_BASE_URL to it, or lists all names in "
        "ALLOWED_HOSTS; a proxy in between passes Host on as it came.",
    ),
    "request_error": ProblemType(
        "Request refused", "What was asked for cannot be done. Nothing was stored.", "The detail says why."
    ),
    "bad_json": ProblemType(
        "Body is not JSON",
        "The body was sent as JSON, and is none. The detail says where it stops being so.",
        "Make the body with a JSON library instead of by hand. It is to be one object in UTF-8, as in "
        '{"preset": "gallformers"}, without comments, NaN or a comma after the last member.',
    ),
    "bad_form": ProblemType(
        "Body is not a form",
        "The body was sent as multipart/form-data and cannot be read as such: usually its boundary is missing in the "
        "Content-Type, or not the one that the body uses.",
        "Let your HTTP library write the Content-Type; do not set it yourself.",
    ),
    "bad_field": ProblemType(
        "Field with a value it cannot have",
        "A field is missing, or has a value that it does not take. The detail names each, and what it takes. "
        "Nothing was stored.",
        "Correct the fields and send the request again.",
    ),
    "unknown_field": ProblemType(
        "Unknown field",
        "A field has a name that this call does not know. It is refused instead of ignored, because a misspelt "
        "preserveGps would otherwise do the opposite of what was meant. Nothing was stored.",
        "The detail names the nearest known field, and all others. Names are case-sensitive.",
    ),
    "unknown_preset": ProblemType(
        "Unknown preset",
        "There is no preset of that name. The detail lists those there are.",
        "Send one of them, or leave the field out.",
    ),
    "bad_legacy_key": ProblemType(
        "Not a key of the site",
        "The key is none that the live site gives to an original, or does not lie below LEGACY_PREFIX. Nothing was "
        "stored. No other objects are ever read for a shadow.",
        "Send the key as the site stores it, with _original before the extension. The operator sets LEGACY_PREFIX.",
    ),
    "shadow_exists": ProblemType(
        "Key has a shadow already",
        "A key stands for one upload. This one was sent before by another caller or with other bytes, or what was made "
        "of it is not kept any more. Nothing was stored.",
        "Nothing is to be done if it is the same picture. Else give each upload a key of its own.",
    ),
    "unknown_product": ProblemType(
        "Unknown product",
        "There is no product of that id or name, it takes nothing at present, or it is not open to the caller.",
        "Send the id or the name of one that GET /products lists.",
    ),
    "unknown_variant": ProblemType(
        "Unknown variant",
        "The file exists, and has no variant of that name. The detail lists those that it has.",
        "Send one of them, or original.",
    ),
    "file_cleaned": ProblemType(
        "File cleaned up",
        "The file and what was made of it are gone: the time that its product keeps files was over, or somebody "
        "deleted the image.",
        "Send it again if it is still needed.",
    ),
    "instruction_full": ProblemType(
        "Instruction full",
        "The instruction has as many files as its product takes in one. Nothing more was stored.",
        "Make another instruction for the rest with POST /instructions.",
    ),
    "not_processed": ProblemType(
        "Not processed",
        "What was asked for is made from the file, and that has not been done yet, or has failed.",
        "Look at the status of the file; the original can be read all the same.",
    ),
    "unknown_upload": ProblemType(
        "Unknown upload",
        "There is no direct upload with this id that belongs to the caller.",
        "Begin one with POST /v1/uploads, and use the uploadId of its answer with the same credentials.",
    ),
    "missing_file": ProblemType(
        "No file",
        "The form has no file, or has it in another field.",
        "Send multipart/form-data with the picture in the field that the detail names, and a file name with it: curl "
        "does so with -F field=@path.",
    ),
    "empty_file": ProblemType("Empty file", "The file has no bytes.", "Look whether the right file was chosen."),
    "too_many_files": ProblemType(
        "Too many files",
        "The form has more files than the call takes.",
        "Send the others in requests of their own; POST /api/v1/ingest/batch takes several at once.",
    ),
    "batch_refused": ProblemType(
        "No file of the batch was taken",
        "Each file of the batch was refused, for different reasons. The member files has the problem of each, in "
        "the order in which they came. Nothing was stored.",
        "Act on the problems of the single files.",
    ),
    "fields_too_large": ProblemType(
        "Text fields too large",
        "The text fields, or the JSON, have together more than 64 KB. Often a file was sent in a field "
        "that takes text.",
        "Send files as files, and shorter texts.",
    ),
    "bad_wait": ProblemType(
        "Wait of a wrong value",
        "The parameter wait takes a whole number of seconds, from 0 to 30.",
        "Send one of them, and ask again where the answer comes before the job is over.",
    ),
    "bad_cursor": ProblemType(
        "Last-Event-ID of a wrong value",
        "The header Last-Event-ID, or the parameter lastEventId, is not the id of an event of this stream.",
        "Send the id that came last as it came, or none to begin now.",
    ),
    "jobs_not_named": ProblemType(
        "Jobs not named",
        "Callers without credentials are all one caller, so they follow only jobs that they name; and nobody names "
        "more than 100.",
        "Name them, as in /v1/events?job=ID&job=ID, or send a credential.",
    ),
    "bad_idempotency_key": ProblemType(
        "Malformed Idempotency-Key",
        "The header Idempotency-Key takes 1 to 255 visible ASCII characters.",
        "Send a new UUID for each new request, and the same again when you repeat one.",
    ),
    "idempotency_key_reused": ProblemType(
        "Idempotency-Key used before",
        "This Idempotency-Key came with another request within the last 24 hours. Nothing was done.",
        "Choose a new key for each new request; repeat a key only with the very same request.",
    ),
    "not_found": ProblemType(
        "Not found",
        "There is nothing at this address, or it belongs to somebody else, which is not told apart. Addresses have no "
        "slash at their end.",
        "Compare the address with the list at /docs. Ids are UUIDs as earlier answers gave them. An image that was "
        "deleted is not found until it is restored.",
    ),
    "method_not_allowed": ProblemType(
        "Method not allowed",
        "The address exists, and does not take this method. The header Allow lists those that it takes.",
        "Look the call up at /docs.",
    ),
    "not_acceptable": ProblemType(
        "Not acceptable",
        "The header Accept asks for a type that this call cannot answer with. Answers are application/json.",
        "Send Accept: application/json, or none.",
    ),
    "unsupported_media_type": ProblemType(
        "Unsupported media type",
        "The Content-Type of the body is not one that this call takes.",
        "Send files as multipart/form-data, all else as application/json.",
    ),
    "wrong_state": ProblemType(
        "Not possible in this state",
        "What was asked for does not go with the present state: a job that is over cannot be cancelled, one that is "
        "done cannot be tried again.",
        "Read the job or the image anew, and decide by what it says.",
    ),
    "not_restorable": ProblemType(
        "Not to be restored",
        "The image was not deleted, or its time for coming back (RESTORE_DAYS) is over.",
        "Upload the file again where it is gone.",
    ),
    "bad_webhook_url": ProblemType(
        "Not an address for a webhook",
        "Events are posted by https to addresses on the public internet. The detail says what is wrong with this one.",
        "Register an https address with a name that leads to the public internet, and without credentials in it.",
    ),
    "too_many_webhooks": ProblemType(
        "Too many webhooks",
        "A caller may have a few webhooks, and has as many. The detail says how many.",
        "Delete one that is of no use any more: DELETE /v1/webhooks/{webhookId}.",
    ),
    "webhook_disabled": ProblemType(
        "Webhook disabled",
        "Nothing is sent to this webhook: its owner has disabled it, or it failed for too long.",
        'Enable it by PATCH /v1/webhooks/{webhookId} with {"enabled": true}, once its receiver is well.',
    ),
    "unknown_flag": ProblemType(
        "Unknown feature flag",
        "There is no feature flag of this name. A name is written as it was made, in small letters and with hyphens.",
        "Treat it as off. manage.py flag list, and the page “Flags” of the admin, show those that there are.",
    ),
    "ramp_refused": ProblemType(
        "Not to be raised",
        "A guarded feature flag was to be on for more visitors while the comparison with the live site found too many "
        "errors, or has judged too few pictures to say. The detail has the numbers.",
        "Look at the scoreboard, mend what is wrong or wait for more pictures, and raise it then. Who knows better "
        "forces it, with a reason that stays in its history.",
    ),
    "upload_used": ProblemType(
        "Upload used",
        "This direct upload has become an image already; each becomes one.",
        "Begin another one with POST /v1/uploads.",
    ),
    "upload_expired": ProblemType(
        "Upload expired",
        "This direct upload was begun more than an hour ago and was not used.",
        "Begin another one with POST /v1/uploads, and store the file anew.",
    ),
}
