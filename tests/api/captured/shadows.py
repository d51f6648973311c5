"""Shadows: by key, with an upload, and one that was compared."""

from django.test import Client
from django.utils import timezone

from media_jobs.models import Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.states import ShadowState
from tests.api.captured.images import upload
from tests.api.captured.recorder import Recorder
from tests.api.uploads.direct_uploading import JSON

KEY = "gall/12/12_1700000000_original.jpg"
_SENTENCE = "Ours is nearer to the original."


def capture(record: Recorder, me: Client) -> None:
    asked = record.request("createShadow", "key", {"key": KEY}, "By the key of the site's original")
    new = record.answer("createShadow", "new", me.post("/v1/shadow", asked, content_type=JSON), "It waits for a worker")
    record.answer("getShadow", "waiting", me.get(f"/v1/shadow/{new['shadowId']}"), "It waits for a worker")
    sizes = ("small", "medium", "large", "xlarge")
    said = [{"name": s, "verdict": "better", "reason": "sharper", "sentence": _SENTENCE} for s in sizes]
    found = {"verdict": Verdict.BETTER, "reason": Reason.SHARPER, "sentence": f"small: {_SENTENCE}", "sizes": said}
    Shadow.objects.update(state=ShadowState.COMPARED, compared_at=timezone.now(), **found)
    record.answer("createShadow", "again", me.post("/v1/shadow", asked, content_type=JSON), "It is compared already")
    record.answer("getShadow", "compared", me.get(f"/v1/shadow/{new['shadowId']}"), "Ours are better")
    Shadow.objects.update(state=ShadowState.FAILED, code="cancelled", detail="Its job was cancelled.")
    record.answer("getShadow", "failed", me.get(f"/v1/shadow/{new['shadowId']}"), "It cannot be compared")
    key = KEY.replace("_17", "_18")
    sent = upload(me, shadow="true", legacyKey=key)
    record.answer("uploadImage", "shadow", sent, "A shadow of what the site makes of it")
    record.answer("createJob", "shadow", upload(me, "/v1/jobs", shadow="true", legacyKey=key), "A shadow once more")


def capture_problems(record: Recorder, me: Client, photo: bytes, settings: object) -> None:
    record.problem(upload(me, photo=photo, shadow="true", legacyKey="gall/12/12_small.jpg"), "bad_legacy_key")
    key = KEY.replace("_17", "_19")
    assert upload(me, shadow="true", legacyKey=key).status_code == 202
    record.problem(upload(me, photo=photo, shadow="true", legacyKey=key), "shadow_exists")
    settings.MAX_SHADOWS = 0  # type: ignore[attr-defined]
    record.problem(upload(me, photo=photo, shadow="true", legacyKey=KEY.replace("_17", "_20")), "shadows_full")
