"""What a person says of a shadow. It counts over the verdict of the comparison."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from media_jobs.callers import Caller
from media_jobs.errors import WrongState
from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Verdict
from media_jobs.services import changes
from media_jobs.states import ShadowState

_OVER = (ShadowState.COMPARED, ShadowState.FAILED)


def judge(shadow_id: UUID, verdict: Verdict, *, note: str, actor: Caller) -> None:
    """Write a person's verdict, in place of a former one. Raises WrongState before there is anything to judge."""
    _write(shadow_id, actor, judged_as=verdict, judged_note=note, judged_by=actor.id, judged_at=Now())


def withdraw(shadow_id: UUID, *, actor: Caller) -> None:
    """Forget what a person said: the verdict of the comparison counts again. Raises WrongState."""
    _write(shadow_id, actor, judged_as="", judged_note="", judged_by="", judged_at=None)


def _write(shadow_id: UUID, actor: Caller, **fields: object) -> None:
    with transaction.atomic():
        shadow = Shadow.objects.select_for_update().filter(pk=shadow_id, state__in=_OVER).first()
        if shadow is None:
            raise WrongState("This picture has not been compared yet.")
        former = {"verdict": shadow.judged_as, "note": shadow.judged_note}
        new = {"verdict": fields["judged_as"], "note": fields["judged_note"]}
        before, after = changes.differing(former, new)
        Shadow.objects.filter(pk=shadow_id).update(**fields)
        changes.record(shadow, "judged", actor=actor, before=before, after=after)
