"""The workbench of the cut-over: the scoreboard, what needs an eye, and what a person says of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from media_jobs.adapters.storage.files import FileStore
from media_jobs.library import scoreboard, shadows
from media_jobs.library.shadows import Filter
from media_jobs.models import Change, Derivative, Shadow
from media_jobs.states import ShadowState
from tests.admin.conftest import Login
from tests.admin.desk.shadows import make_shadow
from tests.images import jpeg

pytestmark = pytest.mark.django_db
QUEUE, BOARD = reverse("desk:shadows"), reverse("desk:cutover")


def page_of(shadow: Shadow, query: str = "") -> str:
    return reverse("desk:shadow", args=[shadow.pk]) + query


def judge(browser: Client, shadow: Shadow, verdict: str, **more: str) -> str:
    answer = browser.post(reverse("desk:shadow_judge", args=[shadow.pk]), {"verdict": verdict, **more})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def text_of(browser: Client, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_scoreboard_tells_the_rate_how_sure_it_is_and_what_the_guard_does(boss: Client, settings) -> None:
    assert "Nothing was compared yet." in text_of(boss, BOARD)
    make_shadow("oak")
    make_shadow("elm", "turned")
    make_shadow("ash", state=ShadowState.DUE, verdict="", compared_at=None)
    page = text_of(boss, BOARD)
    assert "<strong>50.00 %</strong> <span>1 of 2</span>" in page
    assert "1 wait to be compared" in page
    assert "Look at one that needs an eye" in page
    settings.SHADOW_ERROR_LIMIT = 0.9
    assert "more without an error would do" in text_of(boss, BOARD)
    settings.SHADOW_ERROR_LIMIT = 0.005
    Shadow.objects.filter(verdict="better").update(verdict="worse")
    assert "a guarded flag cannot be raised, and falls back" in text_of(boss, BOARD).lower()


def test_what_needs_an_eye_is_listed_worst_first_and_narrowed_by_reason(boss: Client) -> None:
    mixed = make_shadow("mixed", "blurred", position=True)
    turned, dull = make_shadow("turned", "turned"), make_shadow("dull", "dull")
    make_shadow("fine")
    assert [row["shadow"].legacy_key for row in boss.get(QUEUE).context["rows"]] == [
        dull.legacy_key,
        turned.legacy_key,
        mixed.legacy_key,
    ]
    assert dict(shadows.reasons(Filter())) == {"colour": 1, "turned": 1, "mixed": 1}
    page = text_of(boss, f"{QUEUE}?reason=turned")
    assert turned.legacy_key in page
    assert dull.legacy_key not in page
    assert mixed.legacy_key in text_of(boss, f"{QUEUE}?show=different")
    assert "gall/fine/" in text_of(boss, f"{QUEUE}?show=better")
    assert "Nothing needs an eye" not in text_of(boss, f"{QUEUE}?show=nonsense&reason=nonsense")


def test_judging_leads_through_the_list_and_counts_over_the_comparison(boss: Client) -> None:
    mixed = make_shadow("mixed", "blurred", position=True)
    turned, dull = make_shadow("turned", "turned"), make_shadow("dull", "dull")
    following = judge(boss, dull, "same", show="todo", note="On purpose: the site's is too vivid.")
    assert following.startswith(page_of(turned))
    page = text_of(boss, following)
    assert "Just judged: The same." in page
    assert judge(boss, turned, "worse", show="todo").startswith(page_of(mixed))
    assert judge(boss, mixed, "better", show="todo").startswith(QUEUE)
    assert shadows.count(at_most=9) == 0
    assert {verdict: n for verdict, n in scoreboard.read().verdicts.items() if n} == {
        "same": 1,
        "worse": 1,
        "better": 1,
    }
    page = text_of(boss, page_of(dull, "?show=people"))
    assert "says boss" in page
    assert "On purpose: the site&#x27;s is too vivid." in page
    assert Change.objects.filter(action="judged", object_id=str(dull.pk)).exists()
    judge(boss, dull, "withdraw")
    assert shadows.count(at_most=9) == 1
    assert "says boss" not in text_of(boss, page_of(dull))


def test_the_way_forth_and_back_is_the_order_of_the_list(boss: Client) -> None:
    for number in range(3):
        make_shadow(f"mixed{number}", "blurred", position=True)
        make_shadow(f"dull{number}", "dull")
    listed = shadows.page(Filter(), size=9)
    forth = list(_walk(listed[0], shadows.following))
    assert [row.pk for row in forth] == [row.pk for row in listed]
    assert [row.pk for row in _walk(listed[-1], shadows.preceding)] == [row.pk for row in reversed(listed)]
    assert shadows.page(Filter(), after=listed[1], size=2) == listed[2:4]
    Shadow.objects.filter(pk=listed[2].pk).update(judged_as="same")  # by somebody else, meanwhile
    listed[2].refresh_from_db()
    assert shadows.following(Filter(), listed[2]) == listed[3]


def _walk(shadow: Shadow | None, step) -> Iterator[Shadow]:
    while shadow:
        yield shadow
        shadow = step(Filter(), shadow)


def test_a_picture_is_shown_at_its_worst_size_in_plain_words(boss: Client) -> None:
    shadow = make_shadow("dull", "dull", position=True)
    page = text_of(boss, page_of(shadow))
    assert 'alt="Theirs, xlarge"' in page
    assert reverse("desk:shadow_file", args=[shadow.pk, "xlarge"]) in page
    made = Derivative.objects.get(original=shadow.original, rendition="xlarge")
    assert made.key in page
    for words in (
        "Colours 80% as vivid",
        "Tells where the picture was taken",
        "100% of the original&#x27;s fine detail",
    ):
        assert words in page
    assert 'alt="Ours, small"' in text_of(boss, page_of(shadow, "?size=small"))


def test_the_sites_files_are_shown_as_pictures_or_not_at_all(boss: Client, object_store: FileStore) -> None:
    shadow = make_shadow("oak")
    picture, script = jpeg(), b"<html><script>alert(1)</script></html>"
    for size, data in (("small", picture), ("medium", script)):
        writer = object_store.begin(f"gall/oak/oak_1_{size}.jpg", content_type="image/jpeg")
        writer.write(data)
        writer.commit()
    there: Any = boss.get(reverse("desk:shadow_file", args=[shadow.pk, "small"]))
    assert b"".join(there.streaming_content) == picture
    assert (there["Content-Type"], there["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert there["Content-Security-Policy"].startswith("sandbox")
    refused = boss.get(reverse("desk:shadow_file", args=[shadow.pk, "medium"]))
    assert (refused.status_code, refused["Content-Type"]) == (415, "text/plain")
    assert b"script" not in refused.content
    assert boss.get(reverse("desk:shadow_file", args=[shadow.pk, "xlarge"])).status_code == 502
    assert boss.get(reverse("desk:shadow_file", args=[shadow.pk, "original"])).status_code == 404


def test_who_may_only_look_is_offered_no_verdict(staff: Login) -> None:
    make_shadow("oak")
    shadow = make_shadow("dull", "dull")
    viewer = staff("view_shadow")
    assert "What do you say?" not in text_of(viewer, page_of(shadow))
    assert viewer.post(reverse("desk:shadow_judge", args=[shadow.pk]), {"verdict": "same"}).status_code == 403
    assert staff("view_job").get(BOARD).status_code == 403


def test_home_says_that_pictures_differ(boss: Client) -> None:
    make_shadow("dull", "dull")
    needs = {need["title"]: need for need in boss.get(reverse("admin:index")).context["needs"]}
    assert needs["Pictures that differ from the site's"]["count"] == "1"
    assert needs["Pictures that differ from the site's"]["link"] == QUEUE


@pytest.mark.parametrize("verdict", ["better", "worse"])
def test_a_fault_is_said_to_be_theirs_where_ours_is_better(boss: Client, verdict: str) -> None:
    shadow = make_shadow(verdict=verdict, reason="moved")
    for url in (page_of(shadow), f"{QUEUE}?show={verdict}"):
        page = text_of(boss, url)
        assert "moved a little" in page
        assert ("theirs: moved a little" in page) == (verdict == "better"), url
