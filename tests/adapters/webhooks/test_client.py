"""One post: signed, to the address that was checked, within its time, and never by a redirect."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from media_jobs.adapters.webhooks import client
from media_jobs.errors import ReceiverAddressRefused, ReceiverTimeout, ReceiverUnreachable
from tests.servers.receiver import Answer, Receiver

SECRET = "whsec_" + "c2VjcmV0IG9mIHRlc3RzLCAzMiBieXRlcyBsb25nLi4u"
OTHER = "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGVzdHMsIGFzIGxvbmcu"


def post(url: str, payload: str = "{}", *, limit_s: float = 20, **headers: str) -> client.Reply:
    return client.post(url, payload, headers, limit_s=limit_s, allow_loopback=True)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes names lead where a test says: to one address after the other, the last for ever. Returns who was asked."""
    real = socket.getaddrinfo

    def lead(name: str, *addresses: str) -> list[str]:
        asked: list[str] = []

        def resolve(host: Any, port: Any, *rest: Any, **how: Any) -> Any:
            if host != name:
                return real(host, port, *rest, **how)
            asked.append(name)
            return real(addresses[min(len(asked), len(addresses)) - 1], port, *rest, **how)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return asked

    return lead


# --- what is sent ---------------------------------------------------------------------------------


def test_the_body_arrives_as_it_was_signed(receiver: Receiver) -> None:
    sent_at = datetime.now(UTC)
    payload = '{"type":"job.done","data":{"name":"Möhre"}}'
    headers = client.signed_headers("id-1", sent_at, payload, [SECRET])
    assert client.post(receiver.url, payload, headers, limit_s=20, allow_loopback=True).status == 204
    [message] = receiver.messages
    assert message.verified(SECRET)["data"] == {"name": "Möhre"}
    assert message.headers["content-type"] == "application/json"
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["user-agent"] == client.USER_AGENT


def test_each_of_two_secrets_finds_its_signature() -> None:
    headers = client.signed_headers("id-1", datetime.now(UTC), "{}", [SECRET, OTHER])
    assert len(headers["webhook-signature"].split()) == 2
    for secret in (SECRET, OTHER):
        Webhook(secret).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "bm9ib2R5J3Mgc2VjcmV0").verify("{}", headers)


def test_a_time_in_another_zone_is_signed_as_the_moment_that_it_is() -> None:
    now = datetime.now(UTC)
    abroad = client.signed_headers("id-1", now.astimezone(timezone(timedelta(hours=9))), "{}", [SECRET])
    assert abroad == client.signed_headers("id-1", now, "{}", [SECRET])
    Webhook(SECRET).verify("{}", abroad)


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert post(receiver.url).status == 204


# --- what comes back ------------------------------------------------------------------------------


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(307, {"Location": receiver.url})
    assert post(receiver.url).status == 307
    assert len(receiver.messages) == 1


def test_the_beginning_of_the_answer_is_kept_and_can_be_stored_as_text(receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(500, {"Retry-After": "7"}, b"\x00\xff" + b"x" * 100_000)
    reply = post(receiver.url)
    assert (reply.status, reply.retry_after) == (500, "7")
    assert reply.body.startswith("\N{REPLACEMENT CHARACTER}" * 2 + "x")
    assert len(reply.body) == 1000


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where one connection is taken, and `talk` has it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            taken, _ = listener.accept()
            with taken:
                talk(taken)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_receiver_that_says_nothing_is_given_up_in_time() -> None:
    with server(_until_cut) as port, pytest.raises(ReceiverTimeout, match=r"within 0\.5 seconds"):
        post(f"http://127.0.0.1:{port}/", limit_s=0.5)


def test_a_receiver_that_sends_letter_after_letter_is_given_up_in_time() -> None:
    def drip(taken: socket.socket) -> None:
        taken.recv(65_536)
        taken.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
        with contextlib.suppress(OSError):  # until it is cut
            while True:
                taken.sendall(b"x")
                time.sleep(0.05)

    with server(drip) as port, pytest.raises(ReceiverTimeout):
        post(f"http://127.0.0.1:{port}/", limit_s=0.5)


def test_a_body_that_never_ends_changes_nothing_about_its_status() -> None:
    def promise(taken: socket.socket) -> None:
        taken.recv(65_536)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nok")
        _until_cut(taken)

    with server(promise) as port:
        assert post(f"http://127.0.0.1:{port}/", limit_s=3).status == 200  # the status comes in time on any machine


def _until_cut(taken: socket.socket) -> None:
    taken.settimeout(60)
    while taken.recv(65_536):
        pass


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/", "nothing listens there"),
        ("http://nowhere.invalid/", "its name is not known"),
        (f"http://{'a' * 70}.example/", "its address cannot be used"),
    ],
)
def test_what_cannot_be_reached_says_why(url: str, why: str) -> None:
    with pytest.raises(ReceiverUnreachable) as caught:
        post(url)
    assert why in str(caught.value)


def test_a_connection_that_breaks_off_says_so() -> None:
    with server(lambda taken: None) as port, pytest.raises(ReceiverUnreachable, match="broke off"):
        post(f"http://127.0.0.1:{port}/")


def test_what_speaks_no_tls_says_so(receiver: Receiver) -> None:
    with pytest.raises(ReceiverUnreachable, match="certificate"):
        post(receiver.url.replace("http://", "https://"))


# --- where it goes --------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[fd12::1]", "192.31.196.1"])
def test_an_address_that_is_not_global_is_refused(host: str) -> None:
    with pytest.raises(ReceiverAddressRefused) as caught:
        client.post(f"http://{host}/", "{}", {}, limit_s=20)
    assert host.strip("[]") not in str(caught.value)


@pytest.mark.parametrize("host", ["10.1.2.3", "169.254.169.254", "[fd12::1]"])
def test_where_loopback_is_allowed_other_networks_of_ours_are_not(host: str) -> None:
    with pytest.raises(ReceiverAddressRefused):
        post(f"http://{host}/")


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1"])
def test_a_name_that_leads_into_our_networks_is_refused(address: str, resolver: Callable[..., list[str]]) -> None:
    resolver("inside.example", address)
    with pytest.raises(ReceiverAddressRefused) as caught:
        client.post("https://inside.example/", "{}", {}, limit_s=20)
    assert address not in str(caught.value)


def test_a_name_is_asked_for_once_and_where_it_led_first_counts(
    receiver: Receiver, resolver: Callable[..., list[str]]
) -> None:
    """DNS rebinding: the second answer would lead elsewhere."""
    asked = resolver("rebound.example", "127.0.0.1", "10.1.2.3")
    assert post(f"http://rebound.example:{receiver.port}/hook").status == 204
    assert asked == ["rebound.example"]
    assert receiver.messages[0].headers["host"] == f"rebound.example:{receiver.port}"


def test_a_name_that_leads_elsewhere_by_now_is_refused_by_now(
    receiver: Receiver, resolver: Callable[..., list[str]]
) -> None:
    resolver("rebound.example", "127.0.0.1", "10.1.2.3")
    post(f"http://rebound.example:{receiver.port}/hook")
    with pytest.raises(ReceiverAddressRefused):
        post(f"http://rebound.example:{receiver.port}/hook")
    assert len(receiver.messages) == 1


def test_tls_asks_for_the_name_and_not_for_the_pinned_address(resolver: Callable[..., list[str]]) -> None:
    names: list[str | None] = []

    def greet(taken: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _, name, __: names.append(name)
        with pytest.raises(ssl.SSLError):  # it has no certificate
            context.wrap_socket(taken, server_side=True)

    with server(greet) as port:
        resolver("named.example", "127.0.0.1")
        with pytest.raises(ReceiverUnreachable):
            post(f"https://named.example:{port}/")
    assert names == ["named.example"]
