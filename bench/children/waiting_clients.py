"""Clients that wait: `python -m bench.children.waiting_clients URL COOKIE JOB COUNT` says "ready",
and at last how many broke.

Half of them follow all events, half wait for the job again and again, until standard input is closed. One thread has
all of them, so that they cost little beside what they measure.
"""

import http.client
import selectors
import socket
import sys
from urllib.parse import urlsplit


class Client:
    """One connection. It is broken once anything comes but an answer with 200 or 304, or nothing comes any more."""

    def __init__(self, host: str, request: bytes, *, is_stream: bool) -> None:
        name, _, port = host.rpartition(":")
        self.socket = socket.create_connection((name, int(port)), timeout=60)
        self._request, self._is_stream = request, is_stream
        self.is_broken = self.has_begun = False
        self._said = b""
        self.socket.sendall(request)

    def read(self) -> None:
        said = self.socket.recv(65_536)
        self._said += said
        if not said:
            self.is_broken = True
        elif not self.has_begun or not self._is_stream:
            self._look()
        else:
            self._said = b""

    def _look(self) -> None:
        head, end, _ = self._said.partition(b"\r\n\r\n")
        if not end:
            return
        self.has_begun = True
        self.is_broken |= not head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 304 "))
        self._said = b""
        if not self._is_stream and not self.is_broken:  # a 304 has no body
            self.socket.sendall(self._request)


def main(url: str, cookie: str, job: str, count: str) -> None:
    host = urlsplit(url).netloc
    clients = [_client(host, cookie, job, is_stream=bool(number % 2)) for number in range(int(count))]
    with selectors.DefaultSelector() as waiting:
        waiting.register(sys.stdin, selectors.EVENT_READ)
        for client in clients:
            waiting.register(client.socket, selectors.EVENT_READ, client)
        is_ready, is_over = False, False
        while not is_over:
            for key, _ in waiting.select(1):
                if key.data is None:
                    is_over = True
                    continue
                key.data.read()
                if key.data.is_broken:
                    waiting.unregister(key.data.socket)
            if not is_ready and all(client.has_begun or client.is_broken for client in clients[1::2]):
                is_ready = True
                print("ready", flush=True)
    print(sum(client.is_broken for client in clients), flush=True)


def _client(host: str, cookie: str, job: str, *, is_stream: bool) -> Client:
    path = "/v1/events" if is_stream else f"/v1/jobs/{job}?wait=30"
    known = "" if is_stream else f"If-None-Match: {_tag(host, cookie, job)}\r\n"
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{known}\r\n"
    return Client(host, request.encode(), is_stream=is_stream)


def _tag(host: str, cookie: str, job: str) -> str:
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request("GET", f"/v1/jobs/{job}", headers={"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["ETag"]


if __name__ == "__main__":
    main(*sys.argv[1:])
