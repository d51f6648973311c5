"""Whom a service lets in follows from where it listens and by which name it is known."""

from urllib.parse import urlsplit

import pytest

from tests.unit.env.helpers import complaint, load


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_callers_need_no_credential_unless_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    found = load(monkeypatch, HOST=host)
    assert found.lets_anonymous_in
    assert urlsplit(found.base_url).hostname == host
    assert not load(monkeypatch, HOST=host, ALLOW_ANONYMOUS="false").lets_anonymous_in


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "images.example.org"])
def test_elsewhere_nobody_is_let_in_without_one_and_asking_for_it_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert not load(monkeypatch, HOST=host).lets_anonymous_in
    said = complaint(monkeypatch, HOST=host, ALLOW_ANONYMOUS="true")
    assert said.startswith(f"ALLOW_ANONYMOUS: got true, but HOST is {host!r}")


@pytest.mark.parametrize(
    "settings",
    [
        {"PUBLIC_BASE_URL": "https://images.example.org"},
        {"ALLOWED_HOSTS": "localhost,images.example.org"},
        {"ALLOWED_HOSTS": "*"},
        {"ALLOWED_HOSTS": ".localhost"},
    ],
)
def test_a_public_name_on_loopback_means_a_proxy_so_everybody_needs_one(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    assert not load(monkeypatch, ALLOW_ANONYMOUS="true", **settings).lets_anonymous_in


def test_a_short_secret_stops_the_start_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, JWT_SECRET="hunter2" + "é" * 12)
    assert said == "JWT_SECRET: got 31 bytes, takes at least 32, as HS256 wants them"
    assert load(monkeypatch, JWT_SECRET="é" * 16).JWT_SECRET


@pytest.mark.parametrize(("name", "value"), [("HOST", "0.0.0.0"), ("PUBLIC_BASE_URL", "https://images.example")])
def test_webhooks_to_this_host_are_refused_where_the_world_comes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    wanted = {"WEBHOOK_ALLOW_LOOPBACK": "true", "ALLOW_ANONYMOUS": "true"}
    assert complaint(monkeypatch, **wanted, **{name: value}).startswith("WEBHOOK_ALLOW_LOOPBACK: got true")


def test_webhooks_to_this_host_are_allowed_where_only_this_host_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(
        monkeypatch, WEBHOOK_ALLOW_LOOPBACK="true", PUBLIC_BASE_URL="http://localhost:80"
    ).WEBHOOK_ALLOW_LOOPBACK
