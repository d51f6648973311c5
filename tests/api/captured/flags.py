"""Feature flags."""

from typing import Any

from django.test import Client
from django.utils import timezone

from media_jobs.models import FeatureFlag
from media_jobs.services.webhooks import payloads
from media_jobs.states import WebhookEvent
from tests.api.captured.recorder import Recorder
from tests.api.uploads.direct_uploading import JSON

_OFREP = "/ofrep/v1/evaluate/flags"


def capture(record: Recorder, me: Client) -> None:
    FeatureFlag.objects.filter(pk="image-service").update(enabled=True, basis_points=2500)
    record.answer("getFlag", "on", me.get("/v1/flags/image-service?key=visitor-1"), "On for this key")
    record.answer("getFlag", "off", me.get("/v1/flags/image-service?key=visitor-7"), "And off for this one")
    asked = {"context": {"targetingKey": "visitor-1"}}
    for call, path in (("evaluateFlag", f"{_OFREP}/image-service"), ("evaluateFlags", _OFREP)):
        record.request(call, "visitor", asked, "For whom")
        record.answer(call, "on", _post(me, path, asked), "On for this key")
        record.answer(call, "nobody", _post(me, path, {}), "Nobody was named")
    record.answer("evaluateFlag", "unknown", _post(me, f"{_OFREP}/imageservice", asked), "There is no such flag")
    told = {
        "flag": "image-service",
        "fromPercent": 25,
        "percent": 0,
        "reason": "9 of 1,098 pictures of the last 7 days were worse: 0.82 %, over the limit of 0.50 %.",
        "errors": 9,
        "judged": 1098,
    }
    fell_back = payloads.of_news(WebhookEvent.FLAG_FELL_BACK, timezone.now(), told)
    record.sent("fell_back", fell_back, "A feature flag fell back")


def _post(me: Client, path: str, body: Any) -> Any:
    return me.post(path, body, content_type=JSON)
