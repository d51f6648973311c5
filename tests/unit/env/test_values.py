"""A wrong setting stops the start with one line: the variable, what it got, what it takes."""

import dataclasses
from pathlib import Path

import pytest

from gallimg_site import env, env_reader
from tests.unit.env.helpers import S3, complaint, load


def test_without_settings_every_one_has_its_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = dataclasses.asdict(load(monkeypatch))
    assert found.pop("GALLIMG_DATA") == tmp_path / "var"
    assert found == {f.name: f.default for f in dataclasses.fields(env.Env) if f.name != "GALLIMG_DATA"}


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("PORT", "65536", "a whole number from 1 to 65535"),
        ("QUEUE_SIZE", "0", "a whole number from 1"),
        ("MAX_UPLOAD_MB", "thirty", "a whole number from 1 to 5000"),
        ("RAW_MAX_UPLOAD_MB", "0", "a whole number from 1 to 5000"),
        ("PRESERVE_GPS", "sometimes", "true or false"),
        ("LEASE_S", "60.5", "a whole number from 5 to 3600"),
        ("WORKERS", "-1", "a whole number from 0 to 64"),
        ("ALLOW_ANONYMOUS", "perhaps", "true or false"),
        ("LOG_LEVEL", "chatty", "one of debug, info, warn, error"),
        ("PUBLIC_BASE_URL", "images.example.org", "an address that starts with http:// or https://"),
        ("PUBLIC_BASE_URL", "https://", "an address that starts with http:// or https://"),
        ("CDN_BASE_URL", "ftp://cdn.example.org", "an address that starts with http:// or https://"),
        ("S3_ENDPOINT", "ftp://s3.example.org", "host:port or an http:// or https:// address"),
        ("LEGACY_S3_ENDPOINT", "ftp://s3.example.org", "host:port or an http:// or https:// address"),
        ("LEGACY_PREFIX", "originals/", "a folder that is none of ours, like gall/"),
        ("LEGACY_PREFIX", "gall", "a folder that is none of ours, like gall/"),
        ("LEGACY_PREFIX", "../gall/", "a folder that is none of ours, like gall/"),
        ("LEGACY_FOLDER", "site/images", "an absolute path, like /srv/site/images"),
        ("SHADOW_ERRORS_PER_1000", "0.5", "a whole number from 1 to 999"),
        ("JWT_LEEWAY_S", "301", "a whole number from 0 to 300"),
        ("JWT_JWKS_URL", "file:///etc/passwd", "an http:// or https:// address"),
        ("JWT_ISSUER", "a|b", "a name without “|”"),
        ("JWT_ISSUER", "key:0", "a name without “|”"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, fe80", "addresses or networks"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "addresses or networks"),
        ("UPLOADS_PER_MINUTE", "-1", "a whole number from 0"),
        ("NATS_SUBJECT_IMAGE_REQUESTS", "image.>", "a subject like image.requests"),
        ("NATS_SUBJECT_NOTIFICATIONS_SSE", "image.requests", "another one"),
        ("NATS_INBOX_PREFIX", "originals/inbox/", "a folder that is none of ours"),
        ("NATS_INBOX_PREFIX", "../inbox/", "a folder that is none of ours"),
        ("NATS_INBOX_PREFIX", "inbox", "a folder that is none of ours"),
        ("NATS_OWNER", "key:a|b", "a name without “|”"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, takes: str
) -> None:
    said = complaint(monkeypatch, **{name: value})
    assert said.startswith(f"{name}: got {value!r}, ")
    assert takes in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/gallimg"),
        ("DATABASE_URL", "postgres://root:hunter2@db:port/gallimg"),
        ("DATABASE_URL", "postgres://root:hunter2[@db/gallimg"),
        ("DATABASE_URL", "postgres://root:12/hunter2@db/gallimg"),
        ("DATABASE_URL", "postgres://root:12?hunter2@db/gallimg"),
        ("DATABASE_URL", "postgres://root:12#hunter2@db/gallimg"),
        ("REDIS_URL", "redis://:12/hunter2@queue:6379"),
        ("REDIS_URL", "redis://:12#hunter2@queue:6379"),
        ("REDIS_URL", "redis://:hunter2@queue:6379/first"),
        ("REDIS_URL", "http://:hunter2@queue:6379"),
        ("REDIS_URL", "valkey://:hunter2@queue:6379"),
        ("NATS_URI", "http://gallimg:hunter2@nats:4222"),
        ("NATS_URI", "nats://ok:4222,nats://gallimg:hunter2@nats:port"),
    ],
)
def test_a_wrong_secret_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    said = complaint(monkeypatch, SECRET_KEY="x" * 50, **{name: value})
    assert said.startswith(f"{name}: got a value that is not shown, takes ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("name", "value"), [("JWT_JWKS_URL", "ftp://root:hunter2@keys/jwks"), ("S3_ENDPOINT", "ftp://root:12/hunter2@s3")]
)
def test_a_wrong_address_is_shown_without_a_password_in_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = complaint(monkeypatch, **{name: value})
    assert said.startswith(f"{name}: got 'ftp://…@")
    assert "hunter2" not in said


@pytest.mark.parametrize(("port", "refused"), [("8078", False), ("8079", True), ("8080", True), ("8081", False)])
def test_ports_for_metrics_leave_the_port_of_the_service_alone(
    monkeypatch: pytest.MonkeyPatch, port: str, refused: bool
) -> None:
    monkeypatch.setenv("METRICS_PORT", port)
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("WORKERS", "3")
    if refused:
        assert complaint(monkeypatch).startswith(f"METRICS_PORT: got {port}, takes one that")
    else:
        assert int(port) == env_reader.load().METRICS_PORT


@pytest.mark.parametrize(("workers", "refused"), [("4", False), ("5", True)])
def test_the_web_process_takes_no_more_slots_than_a_process_of_their_own(
    monkeypatch: pytest.MonkeyPatch, workers: str, refused: bool
) -> None:
    monkeypatch.setenv("WORKERS_IN_WEB", "true")
    monkeypatch.setenv("WORKERS", workers)
    if refused:
        assert complaint(monkeypatch).startswith("WORKERS_IN_WEB: got true, but WORKERS is 5; ")
    else:
        assert env_reader.load().WORKERS_IN_WEB == "true"


def test_a_setting_and_its_alias_may_not_say_different_things(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, **S3, S3_SECRET_KEY="hunter2")
    assert "AWS_SECRET_ACCESS_KEY and S3_SECRET_KEY" in said
    assert "hunter2" not in said
    assert "s3cr3t" not in said


def test_an_alias_does_as_well_as_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch, S3_ACCESS_KEY="AKIA", S3_SECRET_KEY="s3cr3t", S3_REGION="eu-west-1", AWS_REGION="eu-west-1"
    )
    assert (found.AWS_ACCESS_KEY_ID, found.AWS_SECRET_ACCESS_KEY, found.AWS_REGION) == ("AKIA", "s3cr3t", "eu-west-1")


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(monkeypatch, TRUSTED_PROXIES="10.0.0.7, 2001:db8::/32").trusted_proxies
    assert [str(network) for network in found] == ["10.0.0.7/32", "2001:db8::/32"]


def test_the_public_address_decides_links_and_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).base_url == "http://127.0.0.1:8080"
    found = load(monkeypatch, PUBLIC_BASE_URL="https://images.example.org/")
    assert found.base_url == "https://images.example.org"
    assert found.allowed_hosts == ["localhost", "127.0.0.1", "[::1]", "images.example.org"]
    assert "[2001:db8::1]" in load(monkeypatch, PUBLIC_BASE_URL="http://[2001:db8::1]:8080").allowed_hosts
    assert load(monkeypatch, ALLOWED_HOSTS="a.example, b.example").allowed_hosts == ["a.example", "b.example"]


def test_an_endpoint_without_a_scheme_gets_the_one_that_s3_use_ssl_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, S3_ENDPOINT="minio:9000").s3_endpoint_url == "https://minio:9000"
    assert load(monkeypatch, S3_USE_SSL="false").s3_endpoint_url == "http://minio:9000"
    assert load(monkeypatch, S3_ENDPOINT="https://minio").s3_endpoint_url == "https://minio"


def test_parts_go_with_md5_where_sha256_is_refused_and_as_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).s3_part_checksum == "sha256"
    assert load(monkeypatch, S3_ENDPOINT="minio:9000").s3_part_checksum == "sha256"
    assert load(monkeypatch, S3_ENDPOINT="https://1234.r2.cloudflarestorage.com").s3_part_checksum == "md5"
    assert load(monkeypatch, S3_PART_CHECKSUM="sha256").s3_part_checksum == "sha256"
    assert load(monkeypatch, S3_ENDPOINT="", S3_PART_CHECKSUM="MD5").s3_part_checksum == "md5"


def test_every_setting_explains_itself_in_one_line() -> None:
    for field in dataclasses.fields(env.Env):
        text = field.metadata["help"]
        assert text, field.name
        assert "\n" not in text, field.name
        assert "|" not in text, f"{field.name}: a table could not show it"


@pytest.mark.parametrize(
    ("workers", "slots"), [("0", []), ("2", [2]), ("4", [4]), ("5", [2, 3]), ("16", [4] * 4), ("18", [3, 3, 4, 4, 4])]
)
def test_worker_processes_have_a_few_slots_each(
    monkeypatch: pytest.MonkeyPatch, workers: str, slots: list[int]
) -> None:
    assert load(monkeypatch, WORKERS=workers).worker_slots == slots
