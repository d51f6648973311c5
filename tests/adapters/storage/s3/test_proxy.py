"""What tests may rely on that put this proxy in front of S3."""

import contextlib
import socket
import threading
from typing import Any

import pytest

from tests.adapters.storage.s3.proxy import S3Proxy
from tests.servers.seaweed import SeaweedFS

LIMIT_S = 60.0


def test_whom_it_lets_in_while_it_ends_is_cut_off_with_all_others(
    seaweed: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, connect = S3Proxy(seaweed.endpoint_url), socket.create_connection
    let_in, on_to_the_server = threading.Event(), threading.Event()

    def held_up(address: tuple[str, int]) -> Any:
        let_in.set()
        on_to_the_server.wait(LIMIT_S)
        return connect(address)

    monkeypatch.setattr(socket, "create_connection", held_up)
    with connect(("127.0.0.1", int(proxy.endpoint_url.rsplit(":", 1)[1])), timeout=LIMIT_S) as client:
        assert let_in.wait(LIMIT_S)
        ending = threading.Thread(target=proxy.close, daemon=True)
        ending.start()
        ending.join(0.2)  # it has begun to end
        on_to_the_server.set()
        ending.join(LIMIT_S)
        assert proxy.is_quiet
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
