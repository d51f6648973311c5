"""Tokens and webhooks."""

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from media_jobs.models import Job, WebhookDelivery
from media_jobs.services.webhooks import payloads
from media_jobs.states import DeliveryState, JobState
from tests.api.captured.images import PHOTO, do, upload
from tests.api.captured.recorder import Recorder
from tests.api.uploads.direct_uploading import JSON
from tests.services.webhooks.helpers import read_all

_URL = "https://gallformers.example/hooks/images"


def capture_tokens(record: Recorder) -> None:
    User.objects.create_user("ada", password="correct horse battery")
    anybody = Client()
    account = {"username": "ada", "password": "correct horse battery"}
    record.request("signIn", "account", account, "An account of this service")
    issued = record.answer("signIn", "tokens", anybody.post("/v1/tokens", account, content_type=JSON), "Two tokens")
    refresh = record.request("refreshToken", "refresh", {"refresh": issued["refresh"]}, "The second one")
    next_one = anybody.post("/v1/tokens/refresh", refresh, content_type=JSON)
    record.answer("refreshToken", "tokens", next_one, "The next ones")
    token = record.request("verifyToken", "token", {"token": issued["access"]}, "The first one")
    assert anybody.post("/v1/tokens/verify", token, content_type=JSON).status_code == 204
    guess = {"username": "bob", "password": "a guess"}
    for _ in range(settings.AXES_FAILURE_LIMIT):
        refused = anybody.post("/v1/tokens", guess, content_type=JSON)
    record.problem(refused, "sign_in_locked")


def capture_webhooks(record: Recorder, me: Client) -> None:
    asked = {"url": _URL, "eventTypes": ["job.done", "job.failed"]}
    record.request("createWebhook", "ends", asked, "How jobs end")
    new = me.post("/v1/webhooks", asked, content_type=JSON)
    webhook = record.answer("createWebhook", "webhook", new, "With its secret, this once")
    path = f"/v1/webhooks/{webhook['webhookId']}"
    record.answer("listWebhooks", "webhooks", me.get("/v1/webhooks"), "All of yours")
    record.answer("getWebhook", "webhook", me.get(path), "One that works")
    done, broken = upload(me).json(), upload(me, photo=PHOTO[: len(PHOTO) // 2]).json()
    _sent(record, do(done), "done", "A job is done")
    _sent(record, do(broken), "failed", "A job has failed")
    record.sent("test", payloads.of_test(), "A test")
    read_all()
    _deliveries(record, me, path)
    record.answer("rotateWebhookSecret", "secret", me.post(f"{path}/secret"), "For a day the former one signs, too")
    disabled = record.request("changeWebhook", "disable", {"enabled": False}, "Send nothing for now")
    record.answer("changeWebhook", "disabled", me.patch(path, disabled, content_type=JSON), "It keeps what waits")


def _sent(record: Recorder, job: Job, name: str, summary: str) -> None:
    last = job.events.order_by("number").last()
    assert last is not None
    assert (job.state, last.type) == (JobState(name), name)
    record.sent(name, payloads.of_event(last, job), summary)


def _deliveries(record: Recorder, me: Client, path: str) -> None:
    record.answer("testWebhook", "test", me.post(f"{path}/test"), "It waits for a worker")
    record.answer("listDeliveries", "page", me.get(f"{path}/deliveries?limit=2"), "Two, and how to go on")
    given_up = WebhookDelivery.objects.filter(type="job.failed")
    given_up.update(state=DeliveryState.FAILED, next_at=None)
    one = me.post(f"{path}/deliveries/{given_up.get().pk}/replay")
    record.answer("replayDelivery", "replayed", one, "It is sent again")
    given_up.update(state=DeliveryState.FAILED, next_at=None)
    since = record.request("replayFailedDeliveries", "since", {"since": "2026-01-01T00:00:00Z"}, "Since the new year")
    all_of_them = me.post(f"{path}/replay", since, content_type=JSON)
    record.answer("replayFailedDeliveries", "replayed", all_of_them, "As many as these")
