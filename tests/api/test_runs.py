"""Reprocess runs by HTTP: described, confirmed, followed, moved; each by whom it belongs to."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from media_jobs.callers import Scope
from media_jobs.models import Derivative, ReprocessRun
from media_jobs.states import DerivativeState, RunItemState, RunState
from tests import people
from tests.factories import make_derivative, make_job, make_original
from tests.services.runs.working import drive

pytestmark = pytest.mark.django_db
RUNS = "/v1/runs"


@pytest.fixture(autouse=True)
def _files(object_store: Any) -> None:
    """Derivatives of these tests are somewhere."""


@pytest.fixture
def mine() -> tuple[Client, str]:
    """A program that may manage, and who it is."""
    key, whole = people.api_key(*Scope)
    return people.program(whole), f"key:{key.prefix}"


def image(owner: str, **fields: Any) -> Any:
    original = make_original(stored=False, owner=owner, **fields)
    make_job(original, state="done")
    return original


def described(client: Client, **fields: Any) -> Any:
    answer = client.post(RUNS, fields, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def post(client: Client, run: Any, verb: str) -> Any:
    return client.post(f"{RUNS}/{run['runId']}/{verb}")


def test_a_run_is_about_the_callers_own_images(mine):
    client, me = mine
    own, other = image(me), image("key:other")
    run = described(client, note="after the upgrade", renditions=["thumb", "small"], ratePerMinute=60)
    assert (run["state"], run["renditions"], run["estimate"]["images"]) == ("draft", ["small", "thumb"], 1)
    assert post(client, run, "confirm").json()["state"] == "running"
    lines = client.get(f"{RUNS}/{run['runId']}/items").json()
    assert [line["imageId"] for line in lines["items"]] == [str(own.pk)]
    boss = people.staff("manage_reprocessrun")
    assert described(boss)["estimate"]["images"] == 2
    assert other


def test_every_verb_and_what_is_said_where_it_is_not_possible(mine):
    client, me = mine
    image(me)
    run = described(client)
    refused = post(client, run, "pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert refused.json()["detail"] == "The run is draft; that does not lead to pausing."
    for verb, state in (
        ("confirm", "running"),
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
        ("rollback", "rolled_back"),
    ):
        assert (verb, post(client, run, verb).json()["state"]) == (verb, state)
    assert post(client, run, "accept").status_code == 409


def test_filters_come_as_fields_and_ids_also_as_csv(mine):
    client, me = mine
    first, second = image(me, key="gall/1.jpg"), image(me)
    assert described(client, prefix="gall/")["estimate"]["images"] == 1
    assert described(client, imageIds=[str(second.pk), str(uuid4())])["estimate"]["images"] == 1
    later = (timezone.now() + timedelta(days=1)).isoformat()
    assert described(client, createdBefore=later, states=["done"], missing=True)["estimate"]["images"] == 2
    assert described(client, createdAfter=later)["estimate"]["images"] == 0
    csv = f"id,name\n{first.pk},one\n\n{second.pk},two\n"
    answer = client.post(f"{RUNS}?renditions=thumb&renditions=full", csv, content_type="text/csv")
    assert answer.status_code == 201, answer.content
    assert (answer.json()["estimate"]["images"], answer.json()["renditions"]) == (2, ["full", "thumb"])
    empty = client.post(RUNS, "id\n", content_type="text/csv").json()
    assert empty["estimate"]["images"] == 0


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"preset": "huge"}, "unknown_preset", "huge"),
        ({"renditions": ["huge"]}, "bad_request", "has no rendition huge"),
        ({"stale": ["colour"]}, "bad_field", "stale"),
        ({"quietHours": "nights"}, "bad_request", "look like 08:00-18:00"),
        ({"failureLimit": 0}, "bad_field", "failureLimit"),
        ({"onlyMissing": True}, "unknown_field", "missing"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(mine, fields, code, said):
    answer = mine[0].post(RUNS, fields, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert said in answer.json()["detail"]
    assert not ReprocessRun.objects.exists()


def test_a_bad_line_of_a_list_is_named(mine):
    answer = mine[0].post(RUNS, f"{uuid4()}\nnonsense,2\n", content_type="text/csv")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["detail"] == "Line 2 begins with 'nonsense', which is no id of an image."


def test_the_ledger_comes_in_pages_and_by_state(mine):
    client, me = mine
    images = [image(me) for _ in range(5)]
    run = described(client)
    post(client, run, "confirm")
    row = ReprocessRun.objects.get(pk=run["runId"])
    row.items.filter(original__in=[images[1].pk, images[3].pk]).update(
        state=RunItemState.FAILED, code="truncated", ended_at=timezone.now()
    )
    seen, following = [], ""
    while following is not None:
        page = client.get(f"{RUNS}/{run['runId']}/items?limit=2{following and f'&after={following}'}").json()
        seen += [line["imageId"] for line in page["items"]]
        following = page["next"]
    assert seen == [str(image.pk) for image in images]
    failed = client.get(f"{RUNS}/{run['runId']}/items?state=failed").json()["items"]
    assert [(line["imageId"], line["code"]) for line in failed] == [
        (str(images[1].pk), "truncated"),
        (str(images[3].pk), "truncated"),
    ]
    drive(row)
    counts = client.get(f"{RUNS}/{run['runId']}").json()["counts"]
    assert (counts["total"], counts["failed"], counts["left"]) == (5, 2, 3)


def test_runs_are_listed_newest_first_each_caller_their_own(mine):
    client, _ = mine
    runs = [described(client)["runId"] for _ in range(3)]
    described(people.program(people.api_key(*Scope)[1]))
    first = client.get(f"{RUNS}?limit=2").json()
    assert [run["runId"] for run in first["runs"]] == [runs[2], runs[1]]
    assert [run["runId"] for run in client.get(f"{RUNS}?before={first['next']}").json()["runs"]] == [runs[0]]
    assert len(people.staff("manage_reprocessrun").get(RUNS).json()["runs"]) == 4
    assert ReprocessRun.objects.filter(state=RunState.DRAFT).count() == 4


def test_staleness_is_told_of_the_callers_own_derivatives(mine):
    client, me = mine
    for owner in (me, "key:other"):
        derivative = make_derivative(make_job(make_original(stored=False, owner=owner), state="done"))
        Derivative.objects.filter(pk=derivative.pk).update(state=DerivativeState.CURRENT, rights_digest="x")
    told = client.get("/v1/staleness").json()
    assert told == {"current": 1, "stale": 1, "because": {"recipe": 0, "engine": 0, "overrides": 0, "rights": 1}}
    assert people.staff("manage_reprocessrun").get("/v1/staleness").json()["stale"] == 2
