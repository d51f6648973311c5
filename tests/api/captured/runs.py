"""Reprocess runs."""

from django.test import Client

from media_jobs.models import ReprocessRun
from media_jobs.states import RunState
from tests.api.captured.images import do, upload
from tests.api.captured.recorder import Recorder
from tests.api.uploads.direct_uploading import JSON


def capture(record: Recorder, me: Client) -> None:
    """From a description to a roll back; `me` has a key of its own."""
    uploaded = upload(me).json()
    do(uploaded)
    asked = {"preset": "gallformers", "stale": ["recipe", "engine"], "ratePerMinute": 600, "quietHours": "08:00-18:00"}
    record.request("createRun", "stale", asked, "What preset or engine have outdated, by night")
    listed = f"id\n{uploaded['imageId']}\n"
    record.request("createRun", "ids", listed, "A list of ids", media="text/csv")
    run = record.answer("createRun", "draft", me.post("/v1/runs", {}, content_type=JSON), "What it would cost")
    path = f"/v1/runs/{run['runId']}"
    for call, verb, summary in (
        ("confirmRun", "confirm", "It runs"),
        ("pauseRun", "pause", "What waited was taken back"),
        ("resumeRun", "resume", "It goes on"),
        ("cancelRun", "cancel", "What was left is skipped"),
    ):
        record.answer(call, "run", me.post(f"{path}/{verb}"), summary)
    record.answer("getRun", "cancelled", me.get(path), "One that was cancelled")
    record.answer("listRunItems", "page", me.get(f"{path}/items"), "One image, which was skipped")
    record.answer("listRuns", "page", me.get("/v1/runs"), "All of yours")
    record.answer("rollBackRun", "run", me.post(f"{path}/rollback"), "Nothing was done, so it is taken back at once")
    ReprocessRun.objects.filter(pk=run["runId"]).update(state=RunState.FINISHED)
    record.answer("acceptRun", "run", me.post(f"{path}/accept"), "It is good")
    record.answer("countStale", "counts", me.get("/v1/staleness"), "Nothing is")
