"""A trace goes on where its header is good, begins where it is not, and never mixes the work of two."""

import pytest
from structlog import contextvars

from media_jobs import tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_trace_goes_on_as_a_span_of_its_own(flags: str) -> None:
    tracing.bind(f"00-{TRACE}-{SPAN}-{flags}")
    version, trace, span, told = tracing.traceparent().split("-")
    assert (version, trace, told) == ("00", TRACE, flags)
    assert span != SPAN
    assert tracing.parsed(tracing.traceparent())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
    ],
)
def test_what_is_no_header_begins_a_trace(header: str) -> None:
    tracing.bind(header)
    assert tracing.parsed(tracing.traceparent())["trace_id"] != TRACE


def test_what_others_have_added_to_a_trace_goes_beside_its_header_and_is_in_no_line() -> None:
    longest = "gallimg@site=1,congo=" + "t" * 491
    assert len(longest) == tracing.TRACESTATE_LENGTH
    with tracing.of_message(f"00-{TRACE}-{SPAN}-01", longest):
        assert tracing.tracestate() == longest
        assert longest not in str(contextvars.get_contextvars())
        with tracing.apart():
            assert tracing.tracestate() == ""
        for parent, beside in (
            ("garbage", "a=1"),
            (f"00-{TRACE}-{SPAN}-01", longest + "t"),
            (f"00-{TRACE}-{SPAN}-01", "a=\n"),
        ):
            tracing.bind(parent, beside)
            assert tracing.tracestate() == ""
    assert tracing.tracestate() == ""


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert tracing.parsed(f"01-{TRACE}-{SPAN}-01-more")["trace_id"] == TRACE


def test_a_job_says_what_asked_for_it_and_what_is_done_meanwhile_does_not() -> None:
    assert tracing.traceparent() == tracing.request_id() == ""
    with tracing.of_job("j", 2, traceparent=f"00-{TRACE}-{SPAN}-01", request_id="r"):
        bound = contextvars.get_contextvars()
        assert (bound["job"], bound["attempt"], bound["request_id"], bound["trace_id"]) == ("j", 2, "r", TRACE)
        with tracing.apart():
            assert contextvars.get_contextvars() == {}
            assert tracing.traceparent() == ""
        assert contextvars.get_contextvars() == bound
    assert contextvars.get_contextvars() == {}
