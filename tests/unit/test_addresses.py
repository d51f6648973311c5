"""Whom limits count, behind proxies and without."""

import ipaddress
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.test import RequestFactory

from media_jobs.api.shared.addresses import client_address
from media_jobs.api.shared.request_log import RequestLog


def seen(peer: str, forwarded: str | None = None, **more: Any) -> str:
    headers: Any = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers, **more))


@pytest.fixture(autouse=True)
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ipaddress.ip_network(proxy) for proxy in ("10.0.0.0/8", "2001:db8:1::/48")]


@pytest.mark.parametrize("forwarded", [None, "", "203.0.113.9", "10.0.0.1, 203.0.113.9", "nonsense"])
def test_who_is_no_trusted_proxy_speaks_for_itself_alone(forwarded: str | None) -> None:
    assert seen("198.51.100.1", forwarded) == "198.51.100.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.66, 203.0.113.9", "203.0.113.9"),  # the first was made up by the client
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9,10.1.2.3 , 10.0.0.2", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:2::7]:4711", "2001:db8:2::/64"),
        ("2001:db8:2:0:1::7", "2001:db8:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("10.9.9.9", "10.9.9.9"),
        ("203.0.113.9, nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_says_who_the_client_is(forwarded: str | None, client: str) -> None:
    assert seen("10.0.0.1", forwarded) == client


def test_a_proxy_of_ipv6_is_trusted_by_its_network() -> None:
    assert seen("2001:db8:1::5", "203.0.113.9") == "203.0.113.9"
    assert seen("::ffff:10.0.0.1", "203.0.113.9") == "203.0.113.9"


def test_other_headers_are_not_believed() -> None:
    assert seen("10.0.0.1", HTTP_FORWARDED="for=203.0.113.9", HTTP_X_REAL_IP="203.0.113.9") == "10.0.0.1"


def test_neighbours_in_an_ipv6_network_are_one() -> None:
    assert seen("2001:db8:7::1") == seen("2001:db8:7::ffff:1") != seen("2001:db8:7:1::1")
    assert seen("") == "unknown"


HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP", "HTTP_X_CLIENT_IP")


@pytest.mark.parametrize("name", HEADERS)
def test_nobody_chooses_which_address_is_logged(name: str) -> None:
    headers: Any = {name: "203.0.113.9"}
    request = RequestFactory().get("/", REMOTE_ADDR="198.51.100.1", **headers)
    RequestLog.bind_ip(request)
    assert structlog.contextvars.get_contextvars()["ip"] == "198.51.100.1"


def test_that_which_a_trusted_proxy_names_is_logged_to_the_last_bit() -> None:
    for forwarded in ("203.0.113.9", "2001:db8:2::7"):
        RequestLog.bind_ip(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded))
        assert structlog.contextvars.get_contextvars()["ip"] == forwarded


def test_every_request_is_logged_so() -> None:
    assert "media_jobs.api.shared.request_log.RequestLog" in settings.MIDDLEWARE
