"""Keeps answers as examples, and gives what differs from run to run the same value in each."""

import hashlib
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from media_jobs.api.shared.problems.documents import CONTENT_TYPE, Problem

_NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r"(?<=/)[0-9a-f]{32}(?=\.)")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?=Z|\+00:00)")
#: Times further off are facts of a photograph.
_NEAR = timedelta(days=60)
_QUARTER = timedelta(minutes=15)
_REST = (
    (re.compile(r'("estimatedTime": )\d+'), r"\g<1>1200"),
    # A worker that is quick tells of fewer stages.
    (re.compile(r'("eventNumber": )\d+'), r"\g<1>3"),
    (re.compile(r'("messageId": "[\w-]{36})-\d+'), r"\g<1>-3"),
    (re.compile(r'("ms": )[\d.]+'), r"\g<1>1.2"),
    (re.compile(r'("cpuSeconds": )[\d.]+'), r"\g<1>0.2"),
    (re.compile(r'("(?:write|peak)Bytes": )\d+'), r"\g<1>123456"),
    (re.compile(r'("(?:latencyMs|durationMs|renderMs|cpuMs|peakMemoryBytes)": )[\d.]+'), r"\g<1>12"),
    (re.compile(r"(Come again in )\d+( s)"), r"\g<1>42\g<2>"),
    (re.compile(r"\bkey:[a-z0-9]{8}\b"), "key:a1b2c3d4"),
    (re.compile(r"(again in )\d+( s)"), r"\g<1>42\g<2>"),
    (re.compile(r"whsec_[\w+/=]+"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),  # the specification's own example
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "eyJhbGciOiJIUzI1NiJ9.e30.…"),
    (re.compile(r'("nextCursor": ")[^"]+'), r"\g<1>AZkAAAAAcACAAAAAAAAAAA"),
    (re.compile(r'("ticket": ")[^"]+'), r"\g<1>Zk3vXr0uQ5Jm8sT1yB6cDg"),
    (re.compile(r"([?&]token=)[\w.:%-]+"), r"\g<1>…"),
    (re.compile(r"(retry: )\d+"), r"\g<1>1874"),
    (re.compile(r"(id: )\d+-\d+"), r"\g<1>815-1034"),
)
#: What depends on the versions of encoders.
_OF_ENCODERS = re.compile(r'("bytes": )\d+|("placeholder": "data:image/webp;base64,)[^"]+|("dominantColour": ")[^"]+')


class Recorder:
    """Keeps answers in the shape of `captured.json`."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._kept: dict[str, Any] = {
            "problems": {},
            "requests": defaultdict(lambda: defaultdict(dict)),
            "answers": defaultdict(lambda: defaultdict(dict)),
            "sent": {},
        }

    def request(self, call: str, name: str, value: Any, summary: str, *, media: str = "application/json") -> Any:
        """Keep what `call` takes, and return it."""
        self._kept["requests"][call][media][name] = {"summary": summary, "value": value}
        return value

    def answer(self, call: str, name: str, response: Any, summary: str) -> Any:
        """Keep what `call` answered, and return its body."""
        assert response.status_code < 400 or response["Content-Type"] == "application/json", response.content
        body = response.json()
        self._kept["answers"][call][str(response.status_code)][name] = {"summary": summary, "value": body}
        return body

    def stream(self, call: str, name: str, messages: list[bytes], summary: str) -> None:
        value = b"".join(messages).decode()
        self._kept["answers"][call]["200"][name] = {"summary": summary, "value": value}

    def problem(self, response: Any, code: str) -> None:
        """Keep the answer to an error; one in an envelope as the problem document that it would be elsewhere."""
        found = response.json()
        if "errors" in found:
            said = found["errors"][0]
            problem = Problem(response.status_code, said["code"], said["detail"])
            found = problem.document(response.request["PATH_INFO"])
        else:
            assert response["Content-Type"] == CONTENT_TYPE, (code, response.content)
        assert found["code"] == code, found
        self._kept["problems"][code] = found

    def sent(self, name: str, payload: str, summary: str) -> None:
        self._kept["sent"][name] = {"summary": summary, "value": json.loads(payload)}

    def text(self) -> str:
        """Return the file."""
        found = json.dumps(self._kept, indent=1, ensure_ascii=False)
        found = _numbered(_UUID, found, lambda number: f"01990000-0000-7000-8000-{number:012x}")
        found = _numbered(_DIGEST, found, lambda number: hashlib.sha256(str(number).encode()).hexdigest()[:32])
        found = _TIME.sub(self._moved, found)
        for pattern, to in _REST:
            found = pattern.sub(to, found)
        return found + "\n"

    def _moved(self, match: re.Match[str]) -> str:
        """As many quarters of an hour from a noon: a run takes seconds, and all that is said ahead is such a number."""
        distance = datetime.fromisoformat(f"{match[1]}+00:00") - self._began
        if abs(distance) > _NEAR:
            return match[0]
        moved = _NOON + round(distance / _QUARTER) * _QUARTER
        return f"{moved:%Y-%m-%dT%H:%M:%S}{'.120000' if match[2] else ''}"


def _numbered(pattern: re.Pattern[str], text: str, named: Any) -> str:
    numbers: dict[str, int] = {}
    return pattern.sub(lambda match: named(numbers.setdefault(match[0], len(numbers) + 1)), text)


def comparable(text: str) -> Any:
    """Return what a captured file says, whatever the versions of the encoders."""
    return json.loads(
        _OF_ENCODERS.sub(lambda match: f"{match[1] or match[2] or match[3]}{0 if match[1] else ''}", text)
    )
