"""A consumer of /v1/events, as clients write them: it connects again with the last id until it is told to stop."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx


class Consumer:
    """Collects the data of all messages, over all its connections. jobs: only of these; by default of all."""

    def __init__(self, url: str, *, cookies: Mapping[str, str] | None = None, jobs: tuple[str, ...] = ()) -> None:
        self._url, self._cookies, self._jobs = url, dict(cookies or {}), list(jobs)
        self.last_id = ""
        self.messages: list[dict[str, Any]] = []
        self.connections = 0
        self._is_away = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """Job and number of each event that was received, in this order."""
        return [(message["jobId"], message["number"]) for message in self.messages]

    def listen(self) -> None:
        self._is_away.clear()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def leave(self) -> None:
        """Returns once nothing is read any more; within a heartbeat or so."""
        self._is_away.set()
        assert self._thread
        self._thread.join(60)
        assert not self._thread.is_alive()

    def is_over(self, job_id: str) -> bool:
        return any(message["jobId"] == job_id and message["status"] != "processing" for message in self.messages)

    def _listen(self) -> None:
        while not self._is_away.is_set():
            try:
                self._read()
            except httpx.HTTPError:
                time.sleep(0.1)

    def _read(self) -> None:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        asked = {"params": {"job": self._jobs}, "headers": headers, "cookies": self._cookies}
        with httpx.Client(timeout=httpx.Timeout(5, read=0.5)) as client:
            request = client.build_request("GET", f"{self._url}/v1/events", **asked)  # type: ignore[arg-type]
            response = client.send(request, stream=True)
            try:
                if response.status_code != 200:
                    raise httpx.HTTPError(str(response.status_code))
                self.connections += 1
                self._collect(response)
            finally:
                response.close()

    def _collect(self, response: httpx.Response) -> None:
        """An event counts once its empty line is there, and its id no sooner."""
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
                continue
            if "event" not in fields:
                self.messages.append(json.loads(fields["data"]))
            self.last_id = fields["id"]
            fields = {}
            if self._is_away.is_set():
                return
