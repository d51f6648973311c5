"""What a server does with a request that waits, for Django's test client."""

import json
from typing import Any

import pytest
from django.http.response import HttpResponseBase

from media_jobs.services.waiting.room import ENVIRON, WaitingRoom
from media_jobs.services.waiting.waits import Parked, Poll, Wait


def room(at_most: int = 10) -> dict[str, Any]:
    """The part of a request's environment with which it may wait."""
    return {ENVIRON: WaitingRoom(at_most, lambda _: None)}


def parked(response: HttpResponseBase) -> Wait:
    """What the answer waits for; a stream may have begun."""
    with pytest.raises(Parked) as left:
        list(response)
    return left.value.wait


class Finished:
    """The answer to a poll whose time has come."""

    def __init__(self, response: HttpResponseBase) -> None:
        poll = parked(response)
        assert isinstance(poll, Poll)
        finished = poll.finish()
        self.status_code = int(finished.status[:3])
        self.headers = dict(finished.headers)
        self.content = finished.body

    def json(self) -> Any:
        return json.loads(self.content)
