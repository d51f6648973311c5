"""What a person reads on a terminal stays short; what a program reads has everything."""

import json
import re
import sys
from io import StringIO

import pytest

from gallimg_site.logs import BoundedTracebacks, TerminalRenderer, bounded_traceback, cropped, impersonal, unsigned

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def rendered(**event: object) -> str:
    """What the terminal shows of an event, without colours."""
    return _COLOURS.sub("", TerminalRenderer()(None, "", {"timestamp": "10:30:00", **event}))


def test_an_ordinary_event_is_one_line_that_ends_at_the_edge(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line = rendered(event="job_done", level="info", logger="media_jobs.services", job="1", detail="x" * 100)
    assert line.startswith("10:30:00 job_done job=1 detail=xxx")
    assert len(line) == 40
    assert line.endswith("…")


def test_a_warning_is_whole_and_says_that_it_is_one(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line = rendered(event="paused", level="warning", logger="somebody.else", detail="x" * 100)
    assert line.startswith("10:30:00 warning paused ")
    assert "x" * 100 in line
    assert "logger=somebody.else" in line


def test_colours_take_no_room() -> None:
    assert cropped("ab\x1b[1mcd\x1b[0m", 4) == "ab\x1b[1mcd\x1b[0m"
    assert cropped("ab\x1b[1mcde\x1b[0m", 4) == "ab\x1b[1mc…\x1b[0m"


@pytest.mark.parametrize("deep", [True, False])
def test_a_traceback_never_fills_the_log(deep: bool) -> None:
    error = nested(900) if deep else chained(900)
    exc_info = (type(error), error, error.__traceback__)
    line = json.dumps(BoundedTracebacks()(exc_info))
    assert len(line) < 40_000
    assert "the first cause" in line
    shown = StringIO()
    bounded_traceback(shown, exc_info)
    assert len(shown.getvalue()) < 40_000
    assert "the first cause" in shown.getvalue()


def nested(depth: int) -> Exception:
    """An error from far within calls of calls."""

    def call(level: int) -> None:
        if level:
            call(level - 1)
        raise ValueError("the first cause" + "!" * 10_000)

    try:
        call(min(depth, sys.getrecursionlimit() - 200))
    except ValueError as error:
        return error
    raise AssertionError


def chained(length: int) -> Exception:
    """An error that came of an error that came of an error."""
    found: Exception = ValueError("the first cause")
    for number in range(length):
        try:
            try:
                raise found
            except Exception as cause:
                raise RuntimeError(f"number {number}") from cause
        except RuntimeError as error:
            found = error
    return found


@pytest.mark.parametrize(
    ("field", "said", "shown"),
    [
        ("request", "GET /v1/images?search=Ada%20Lovelace", "GET /v1/images"),
        ("request", "PUT /pictures/ada-lovelace.jpg", "PUT /pictures/….jpg"),
        ("path", "/pictures/ada-lovelace.heic", "/pictures/….heic"),
        ("path", "/v1/jobs/01990000-0000-7000-8000-000000000025", "/v1/jobs/01990000-0000-7000-8000-000000000025"),
        (
            "path",
            "/media/full/01990000-0000-7000-8000-000000000025/f8cb41ac.jpg",
            "/media/full/01990000-0000-7000-8000-000000000025/f8cb41ac.jpg",
        ),
        ("key", "inbox/june/ada-lovelace.jpg", "…"),
        ("key", "uploads/01990000-0000-7000-8000-000000000025", "uploads/01990000-0000-7000-8000-000000000025"),
    ],
)
def test_names_that_people_gave_are_cut_out(field: str, said: str, shown: str) -> None:
    assert impersonal(None, "", {"event": "x", field: said})[field] == shown


def test_a_traceback_repeats_no_row_of_the_database() -> None:
    error = ValueError("duplicate key value\nDETAIL:  Key (filename)=(ada-lovelace.jpg) already exists.")
    [shown] = BoundedTracebacks()((type(error), error, None))
    assert shown["exc_value"] == "duplicate key value"


def test_the_link_that_sets_a_password_is_no_matter_of_the_log():
    link = "/admin/auth/user/welcome/MQ/cx1abc-0123456789abcdef/"
    told = {"event": f"Service Unavailable: {link}", "request": f"GET {link}", "path": link}
    cut = unsigned(None, "error", dict(told))
    assert all("cx1abc" not in text and "/welcome/…/" in text for text in cut.values())


def test_no_name_of_a_file_is_in_what_django_says_of_an_address():
    told = {"logger": "django.request", "event": "Not Found: /media/full/Ada-at-home.jpg"}
    assert "Ada" not in impersonal(None, "warning", told)["event"]
