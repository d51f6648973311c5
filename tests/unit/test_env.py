"""A wrong setting stops the start with one line: the variable, what it got, what it takes."""

import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gallimg_site import env, env_reader

ROOT = Path(__file__).resolve().parents[2]
S3 = {"S3_BUCKET": "pictures", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, and a working directory without `.env`."""
    for field in dataclasses.fields(env.Env):
        for name in (field.name, *field.metadata["aliases"]):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **settings: str) -> env.Env:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return env_reader.load()


def complaint(monkeypatch: pytest.MonkeyPatch, **settings: str) -> str:
    """What the start says about `settings`."""
    with pytest.raises(env.ConfigError) as caught:
        load(monkeypatch, **settings)
    said = str(caught.value)
    assert "\n" not in said
    return said


def run_check(cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py check` in a process of its own, with these settings and no others."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "GALLIMG_DATA": str(cwd / "data"), **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


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


@pytest.mark.parametrize(("port", "refused"), [("8077", False), ("8078", True), ("8080", True), ("8081", False)])
def test_ports_for_metrics_leave_the_port_of_the_service_alone(
    monkeypatch: pytest.MonkeyPatch, port: str, refused: bool
) -> None:
    monkeypatch.setenv("METRICS_PORT", port)
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("WORKERS", "2")
    if refused:
        assert complaint(monkeypatch).startswith(f"METRICS_PORT: got {port}, takes one that")
    else:
        assert int(port) == env_reader.load().METRICS_PORT


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


def test_dotenv_is_read_and_the_real_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nLOG_LEVEL=debug\nWORKERS=5\n")
    found = load(monkeypatch, LOG_LEVEL="error", WORKERS="")
    assert (found.PORT, found.LOG_LEVEL) == (9001, "error")
    assert found.WORKERS == 2, "an empty variable says: not set, whatever .env has"


def test_dotenv_is_validated_like_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=many\n")
    assert complaint(monkeypatch).startswith("PORT: got 'many', takes ")


@pytest.mark.parametrize("unreadable", ["a directory", "no text"])
def test_an_unreadable_dotenv_is_one_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unreadable: str) -> None:
    if unreadable == "a directory":
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe\x00")
    assert complaint(monkeypatch).startswith(".env: got what cannot be read")


def test_the_embedded_secret_key_is_made_once_and_for_the_owner_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = load(monkeypatch).secret_key
    assert len(first) >= 50
    assert load(monkeypatch).secret_key == first
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert load(monkeypatch, SECRET_KEY="given").secret_key == "given"


def test_a_data_directory_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = load(monkeypatch, GALLIMG_DATA=str(tmp_path / "file"))
    with pytest.raises(env.ConfigError, match=r"^GALLIMG_DATA: got '.*file', which cannot be used \(.+\); takes "):
        _ = found.secret_key


def test_the_start_ends_with_that_line_and_nothing_else(tmp_path: Path) -> None:
    ended = run_check(tmp_path, PORT="http")
    assert ended.returncode == 1
    assert ended.stderr == "gallimg cannot start. PORT: got 'http', takes a whole number from 1 to 65535\n"
    assert ended.stdout == ""


def test_the_start_reads_dotenv_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOST=0.0.0.0\nALLOW_ANONYMOUS=true\n")
    ended = run_check(tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith("gallimg cannot start. ALLOW_ANONYMOUS: got true, but HOST is '0.0.0.0'")
    assert run_check(tmp_path, ALLOW_ANONYMOUS="false").returncode == 0


def test_every_setting_explains_itself_in_one_line() -> None:
    for field in dataclasses.fields(env.Env):
        text = field.metadata["help"]
        assert text, field.name
        assert "\n" not in text, field.name
        assert "|" not in text, f"{field.name}: a table could not show it"


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


PREFIXES = ["AWS_", "WORKER_AWS_", "S3_READ_", "ADMIN_AWS_"]


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
