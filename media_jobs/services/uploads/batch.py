"""Several files of one request: each is taken or refused by itself, and those that are taken are so together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from media_jobs.callers import Caller
from media_jobs.errors import BatchRefused, MediaError
from media_jobs.models import Preset
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.uploads import backlog
from media_jobs.services.uploads.intake import Accepted, Upload, UploadOptions

Outcome = Accepted | MediaError


class Batch:
    """The uploads of one request. Ends with `close`, which forgets all that were not accepted."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._begun: list[Upload] = []
        self._accepted: frozenset[Upload] = frozenset()

    def begin(self, kind: Kind, filename: str) -> Upload:
        """Begin one file. Raises BacklogFull, StorageFull, StorageUnavailable."""
        backlog.enter()
        try:
            upload = Upload(kind, filename=filename, caller=self._caller)
        except BaseException:
            backlog.leave(accepted=False)
            raise
        self._begun.append(upload)
        return upload

    def accept(
        self,
        files: Sequence[Upload | MediaError],
        *,
        preset: Preset,
        options: UploadOptions,
        build_answer: Callable[[list[Outcome]], Answer],
        sent: Sent | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Queue a job for each file that is not an error by now, in one transaction.

        The storage may refuse one and take the next. `build_answer` says what became of each, in their order, within
        the transaction. limits: see `intake.create_job`.
        With `sent`, only if that was not answered before. Raises BatchRefused when none is left, IdempotencyKeyReused.
        """
        left = list(files)

        def commit() -> None:
            for place, file in enumerate(left):
                if isinstance(file, Upload):
                    left[place] = _committed(file)

        def write() -> Answer:
            errors = [file for file in left if isinstance(file, MediaError)]
            if len(errors) == len(left):
                raise BatchRefused(errors)
            return build_answer(
                [
                    file if isinstance(file, MediaError) else file.write_rows(preset, self._caller, options, limits)
                    for file in left
                ]
            )

        answer = idempotency.once(sent, write, beforehand=commit)
        if not answer.replayed:
            self._accepted = frozenset(file for file in left if isinstance(file, Upload))
        return answer

    def close(self) -> None:
        for upload in self._begun:
            accepted = upload in self._accepted
            if accepted:
                upload.end()
            upload.abort()
            backlog.leave(accepted=accepted)
        self._begun = []


def _committed(upload: Upload) -> Upload | MediaError:
    try:
        upload.commit()
    except MediaError as error:
        return error
    return upload
