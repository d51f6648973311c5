"""Slow, silent and lingering clients: `python -m tests.hostile.clients HOST:PORT KIND COUNT PATH`.

They play until standard input is closed, and come again when they are sent away, if PATH begins with “again:”. They say
“ready” once all of them are connected, and in the end how many there were and which statuses they were told, as JSON.
"""

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

BOUNDARY = "slow"
PART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
).encode()
#: What a JPEG begins with; nothing looks any farther before it is whole.
JPEG = b"\xff\xd8\xff\xe0"
_TRICKLE_S = 5.0
#: How long they may take to notice that they were sent away.
_LAST_WORDS_S = 20.0
_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
_SLOW_BYTES, _SLOW_BYTES_S, _PIECE_BYTES = 200_000, 20_000, 2000

Play = Callable[["Client"], Coroutine[Any, Any, None]]


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str) -> None:
        self.reader, self.writer, self.host, self.path = reader, writer, host, path

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def post(self, length: int) -> None:
        head = (
            f"POST /v1/images HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {length}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        await self.send(head.encode())

    async def trickle(self) -> None:
        """A byte now and then, until the server has had enough."""
        while not self.reader.at_eof():
            await self.send(b"x")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TRICKLE_S):  # `wait_for` may swallow that a task is cancelled
                    await self.reader._wait_for_data("trickle")  # type: ignore[attr-defined]
                    return

    async def status(self) -> str:
        """What the server said last; empty where it said nothing."""
        line = await self.reader.readline()
        return line.split()[1].decode() if line else ""


async def silent(client: Client) -> None:
    """Says nothing."""


async def heads(client: Client) -> None:
    await client.send(b"GET / HTTP/1.1\r\nX-Slow: ")
    await client.trickle()


async def bodies(client: Client) -> None:
    await client.post(1_000_000)
    await client.trickle()


async def openings(client: Client) -> None:
    """Begins as everybody does, and then trickles."""
    await client.post(1_000_000)
    await client.send(PART + JPEG + bytes(150_000))
    await client.trickle()


async def readers(client: Client) -> None:
    """Asks for a file and takes nothing of it."""
    await client.send(f"GET {client.path} HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(3600)


async def lingerers(client: Client) -> None:
    """Is refused, and neither reads nor closes."""
    await client.post(900_000_000)
    await client.send(bytes(100_000))
    await asyncio.sleep(3600)


async def uploads(client: Client) -> None:
    """An honest upload over a bad line."""
    content = PART + JPEG + bytes(_SLOW_BYTES - len(PART) - len(JPEG) - len(_TAIL)) + _TAIL
    await client.post(len(content))
    began_s, sent = time.monotonic(), 0
    while sent < len(content):
        # A line goes on while this process waits for a processor.
        due = max(sent, int((time.monotonic() - began_s) * _SLOW_BYTES_S)) + _PIECE_BYTES
        await client.send(content[sent:due])
        sent = due
        await asyncio.sleep(_PIECE_BYTES / _SLOW_BYTES_S)


KINDS: dict[str, Play] = {
    play.__name__: play for play in (silent, heads, bodies, openings, readers, lingerers, uploads)
}


class Crowd:
    """So many clients of one kind."""

    def __init__(self, address: str, kind: str, path: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port, self._play = host, int(port), KINDS[kind]
        self._path = path.removeprefix("again:")
        self.comes_again = path.startswith("again:")
        self.told: Counter[str] = Counter()
        self.connected = asyncio.Semaphore(0)

    async def member(self) -> None:
        is_first = True
        while is_first or self.comes_again:
            with contextlib.suppress(OSError):
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
                sock.setblocking(False)
                await asyncio.get_running_loop().sock_connect(sock, (self._host, self._port))
                reader, writer = await asyncio.open_connection(sock=sock)
                if is_first:
                    self.connected.release()
                is_first = False
                await self._one(Client(reader, writer, f"{self._host}:{self._port}", self._path))
            await asyncio.sleep(0.2)

    async def _one(self, client: Client) -> None:
        """Play, and note what it came to, unless that was interrupted."""
        try:
            with contextlib.suppress(ConnectionError):
                await self._play(client)
            self.told[await client.status()] += 1
        except ConnectionError:
            self.told["reset"] += 1
        finally:
            client.writer.transport.abort()


async def main(address: str, kind: str, count: str, path: str) -> None:
    crowd = Crowd(address, kind, path)
    members = [asyncio.create_task(crowd.member()) for _ in range(int(count))]
    for _ in members:
        await crowd.connected.acquire()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    if not crowd.comes_again:
        await asyncio.wait(members, timeout=_LAST_WORDS_S)
    crowd.comes_again = False
    ended = sum(member.done() for member in members)
    for member in members:
        member.cancel()
    await asyncio.gather(*members, return_exceptions=True)
    print(json.dumps({"ended": ended, "told": crowd.told}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
