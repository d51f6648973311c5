"""Files of one request become files of an instruction: each is taken or refused by itself."""

from collections.abc import Callable, Sequence

from media_jobs import selectors
from media_jobs.callers import Caller
from media_jobs.errors import MediaError
from media_jobs.models import Instruction, InstructionDetail, UploadPlace
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.instructions import places, products
from media_jobs.services.uploads.batch import Batch
from media_jobs.services.uploads.intake import Accepted, Upload, UploadOptions

Outcome = InstructionDetail | MediaError


class Adding:
    """The files of one request. Ends with `close`, which forgets all that were not accepted."""

    def __init__(self, instruction: Instruction, caller: Caller) -> None:
        self._instruction = instruction
        self._batch = Batch(caller)
        self._places: dict[Upload, UploadPlace] = {}

    def begin(self, kind: Kind, filename: str) -> Upload:
        """Begin one file. Raises InstructionFull, DailyLimitReached, BacklogFull, StorageFull, StorageUnavailable."""
        place = places.take(self._instruction)
        try:
            upload = self._batch.begin(kind, filename)
        except BaseException:
            places.release([place] if place else [])
            raise
        if place:
            self._places[upload] = place
        return upload

    def accept(
        self,
        files: Sequence[Upload | MediaError],
        *,
        options: UploadOptions,
        build_answer: Callable[[list[Outcome]], Answer],
        sent: Sent | None = None,
    ) -> Answer:
        """Queue a job for each file that is not an error by now, as files of the instruction, in one transaction.

        `build_answer` says what became of each, in their order. Raises BatchRefused, IdempotencyKeyReused,
        UnknownPreset, InstructionFull, DailyLimitReached.
        """
        product = self._instruction.product

        def joined(outcomes: list[Accepted | MediaError]) -> Answer:
            taken = [file for file, came in zip(files, outcomes, strict=True) if isinstance(came, Accepted)]
            answer = build_answer([join(self._instruction, came) for came in outcomes])
            places.use(self._instruction, [self._places[file] for file in taken if file in self._places])
            return answer

        return self._batch.accept(
            files,
            preset=selectors.current_preset(product.preset),
            options=options,
            build_answer=joined,
            sent=sent,
            limits=products.job_limits(product),
        )

    def close(self) -> None:
        self._batch.close()
        places.release(list(self._places.values()))


def join(instruction: Instruction, came: Accepted | MediaError) -> Outcome:
    """Make what was accepted a file of the instruction; an error stays one. Needs the transaction of its job."""
    if isinstance(came, MediaError):
        return came
    original = came.job.original
    return InstructionDetail.objects.create(
        instruction=instruction,
        job=came.job,
        owner=instruction.owner,
        filename=original.filename,
        content_type=original.content_type,
        size_bytes=original.size_bytes or None,
        sha256=original.sha256,
        state=came.job.state,
    )
