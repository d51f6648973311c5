"""Temporary credentials are sent with their token, by each role, in every kind of call."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from media_jobs.adapters.storage import Role, store
from media_jobs.services import bucket

ROLES = {Role.WEB: "WEB", Role.WORKER: "WORKER", Role.READ: "READ"}


@pytest.fixture
def tokens(settings: Any) -> Iterator[list[str | None]]:
    """Those that came to a server, which has nothing."""
    seen: list[str | None] = []

    class Nothing(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(404, b"")

        def do_GET(self) -> None:
            self._answer(200, b"<ListBucketResult/>")

        def _answer(self, status: int, body: bytes) -> None:
            seen.append(self.headers["X-Amz-Security-Token"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = "gallimg", f"http://127.0.0.1:{server.server_port}"
    for name in ("WEB", "WORKER", "READ", "ADMIN"):
        setattr(settings, f"S3_{name}_CREDENTIALS", (f"ASIA{name}", "s3cr3t", f"token-of-{name}"))
    yield seen
    for role in Role:
        store(role).client.close()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("role", Role)
def test_each_role_sends_its_own(tokens: list[str | None], role: Role) -> None:
    assert not store(role).exists("full/a.jpg")
    assert tokens == [f"token-of-{ROLES[role]}"]


def test_links_and_forms_carry_it(tokens: list[str | None]) -> None:
    link = store(Role.READ).signed_url("originals/a.jpg", filename="a", content_type="image/jpeg", expires_s=60)
    assert "X-Amz-Security-Token=token-of-READ" in link
    how: dict[str, Any] = {"content_type": "image/jpeg", "least_bytes": 1, "most_bytes": 9, "expires_s": 60}
    assert store(Role.WEB).form("uploads/a", **how).fields["x-amz-security-token"] == "token-of-WEB"


def test_the_administrator_sends_his(tokens: list[str | None]) -> None:
    client = bucket._client(bucket._admin())
    with pytest.raises(client.exceptions.ClientError):
        client.head_bucket(Bucket="gallimg")
    client.close()
    assert tokens == ["token-of-ADMIN"]


def test_a_key_that_lasts_sends_none(tokens: list[str | None], settings: Any) -> None:
    settings.S3_WEB_CREDENTIALS = ("AKIAWEB", "s3cr3t", "")
    assert not store(Role.WEB).exists("full/a.jpg")
    assert tokens == [None]
