"""Which addresses events may be sent to: the tables, on every version of Python."""

from ipaddress import ip_address

import pytest

from media_jobs.adapters.webhooks import addresses

GLOBAL = [
    "1.1.1.1",
    "9.9.9.9",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.0.1",
    "172.32.0.1",
    "198.20.0.1",
    "223.255.255.1",
]
GLOBAL += ["2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888"]
NOT_GLOBAL = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.1.2.3",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:101:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "ff02::1",
]


@pytest.mark.parametrize("text", GLOBAL)
def test_the_internet_is_global(text: str) -> None:
    assert addresses.is_global(ip_address(text))


@pytest.mark.parametrize("text", NOT_GLOBAL)
def test_what_may_be_within_our_networks_is_not(text: str) -> None:
    assert not addresses.is_global(ip_address(text))


def test_brackets_of_an_address_are_no_part_of_it_and_a_name_is_none() -> None:
    assert addresses.parse("[::1]") == ip_address("::1")
    assert addresses.parse("example.org") is None


@pytest.mark.parametrize(
    ("text", "expected"), [("127.0.0.1", True), ("127.255.0.9", True), ("::1", True), ("10.0.0.1", False)]
)
def test_loopback_is_this_host(text: str, expected: bool) -> None:
    assert addresses.is_loopback(ip_address(text)) == expected
