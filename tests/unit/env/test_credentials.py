"""Credentials come whole, from one place, and are never repeated."""

from pathlib import Path

import pytest

from tests.unit.env.helpers import S3, complaint, load

PREFIXES = ["AWS_", "WORKER_AWS_", "S3_READ_", "ADMIN_AWS_"]


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("WORKER_AWS_ACCESS_KEY_ID", "WORKER_AWS_SECRET_ACCESS_KEY"),
        ("S3_READ_ACCESS_KEY_ID", "S3_READ_SECRET_ACCESS_KEY"),
    ],
)
@pytest.mark.parametrize("given", [0, 1])
def test_half_a_pair_of_credentials_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: str, secret: str, given: int
) -> None:
    said = complaint(monkeypatch, **{(key, secret)[given]: "hunter2"})
    assert f"{key} and {secret}" in said
    assert "hunter2" not in said


def test_a_bucket_needs_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint(monkeypatch, S3_BUCKET="pictures").startswith("AWS_ACCESS_KEY_ID: not set, but S3_BUCKET is")
    load(monkeypatch, **S3)


@pytest.mark.parametrize(
    ("settings", "readable"),
    [
        ({}, ""),
        ({"LEGACY_PREFIX": "gall/"}, "gall/"),
        ({"LEGACY_PREFIX": "gall/", "LEGACY_FOLDER": "/srv/site"}, ""),
        ({"LEGACY_PREFIX": "gall/", "LEGACY_S3_BUCKET": "theirs"}, ""),
    ],
)
def test_a_site_has_nothing_in_our_bucket_unless_somebody_says_so(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], readable: str
) -> None:
    read = load(monkeypatch, **S3, **settings)
    assert (read.legacy_prefix, read.legacy_prefix_in_bucket) == ("gall/", readable)


@pytest.mark.parametrize("whose", ["WORKER_AWS", "ADMIN_AWS"])
def test_a_host_that_only_works_or_administers_needs_none_of_the_web(
    monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    own = {f"{whose}_ACCESS_KEY_ID": "AKIA", f"{whose}_SECRET_ACCESS_KEY": "s3cr3t"}
    assert load(monkeypatch, S3_BUCKET="pictures", **own).AWS_ACCESS_KEY_ID == ""


def test_a_database_of_its_own_needs_a_secret_key_that_all_hosts_share(monkeypatch: pytest.MonkeyPatch) -> None:
    database = "postgres://gallimg@db/gallimg"
    assert complaint(monkeypatch, DATABASE_URL=database).startswith("SECRET_KEY: not set, but DATABASE_URL is")
    assert not load(monkeypatch, SECRET_KEY="x" * 50).embedded


@pytest.mark.parametrize("prefix", PREFIXES)
def test_temporary_keys_without_their_token_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    sent = {**S3, f"{prefix}ACCESS_KEY_ID": "ASIAEXAMPLE", f"{prefix}SECRET_ACCESS_KEY": "s3cr3t"}
    assert complaint(monkeypatch, **sent).startswith(f"{prefix}SESSION_TOKEN: not set, but {prefix}ACCESS_KEY_ID is")
    found = load(monkeypatch, **sent, **{f"{prefix}SESSION_TOKEN": "t0ken"})
    assert getattr(found, f"{prefix}SESSION_TOKEN") == "t0ken"


@pytest.mark.parametrize("prefix", PREFIXES[1:])
def test_a_token_without_its_keys_is_refused(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    said = complaint(monkeypatch, **S3, **{f"{prefix}SESSION_TOKEN": "t0ken"})
    assert said.startswith(f"{prefix}SESSION_TOKEN: set, but {prefix}ACCESS_KEY_ID is not")
    assert "t0ken" not in said


def test_an_authority_that_is_no_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "AWS_CA_BUNDLE" in complaint(monkeypatch, AWS_CA_BUNDLE=str(tmp_path / "ca.pem"))
