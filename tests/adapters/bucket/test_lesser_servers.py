"""`manage.py bucket` at servers that know less than S3, out of their wheels: it says so, and never fails for it."""

import secrets
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from django.core.management import call_command

from media_jobs.services import bucket
from media_jobs.services.bucket import Item, State, Verdict
from tests.servers import Server, free_ports, temporary_folder
from tests.servers.seaweed import s3_client

pytestmark = pytest.mark.slow  # `make test-all` runs them

KEY, SECRET = "gallimg", secrets.token_hex(16)


@contextmanager
def serving(name: str, command: list[str], folder: Path, port: int, settings: Any) -> Iterator[None]:
    """The server, as the storage of this process."""
    endpoint_url = f"http://127.0.0.1:{port}"
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = "gallimg", endpoint_url
    settings.S3_WEB_CREDENTIALS = settings.S3_ADMIN_CREDENTIALS = (KEY, SECRET)
    settings.UPLOAD_ORIGINS = ["https://a.example"]
    server = Server(name, command, folder)
    try:
        with closing(s3_client(endpoint_url, (KEY, SECRET))) as client:
            server.wait_until(client.list_buckets, BotoCoreError, ClientError)
        yield
    finally:
        server.stop()


def program(name: str) -> str:
    found = Path(sysconfig.get_path("scripts")) / name
    return str(found) if found.exists() else shutil.which(name) or pytest.fail(f"{name} is not installed")


@pytest.fixture
def rclone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It takes questions about policies and the like for those about the bucket itself."""
    [port] = free_ports(1)
    with temporary_folder() as folder:
        monkeypatch.setenv("RCLONE_CONFIG", str(folder / "none.conf"))
        (folder / "data").mkdir()
        options = ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
        command = [program("rclone"), "serve", "s3", *options, str(folder / "data")]
        with serving("rclone", command, folder, port, settings):
            yield


@pytest.fixture
def juicefs(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The gateway of JuiceFS, which is MinIO's."""
    [port] = free_ports(1)
    with temporary_folder() as folder:
        meta, binary = f"sqlite3://{folder}/meta.db", program("juicefs")
        monkeypatch.setenv("MINIO_ROOT_USER", KEY)
        monkeypatch.setenv("MINIO_ROOT_PASSWORD", SECRET)
        monkeypatch.setenv("HOME", str(folder))
        formatting = [binary, "format", meta, "tests", "--storage", "file", "--bucket", f"{folder}/data"]
        Server("JuiceFS", formatting, folder).wait_for_end()
        command = [binary, "gateway", meta, f"127.0.0.1:{port}", "--multi-buckets", "--no-usage-report", "--no-banner"]
        command += ["--cache-dir", f"{folder}/cache", "--access-log", f"{folder}/access.log"]
        with serving("JuiceFS", command, folder, port, settings):
            yield


def set_up() -> dict[str, Item]:
    return {item.name: item for item in bucket.setup(public=True, dry_run=False)}


@pytest.mark.usefixtures("rclone")
def test_rclone_is_told_from_one_that_knows_policies(capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up()["bucket"].state is State.MADE
    found = set_up()
    assert found["bucket"].state is State.THERE
    assert {item.state for name, item in found.items() if name != "bucket"} == {State.UNSUPPORTED}
    assert found["bucket policy"].note == "this server does not know GetBucketPolicy"
    call_command("bucket", "setup", "--public")
    assert capsys.readouterr().out.count("not supported") == 5
    findings = list(bucket.check())
    told = {finding.what for finding in findings if finding.verdict is Verdict.EXCESS}
    assert not told & {"GetBucketPolicy", "GetLifecycleConfiguration", "GetBucketCors"}
    assert ("PutObject", Verdict.THERE) in {(finding.what, finding.verdict) for finding in findings}
    assert "left behind" not in {finding.what for finding in findings}


@pytest.mark.usefixtures("juicefs")
def test_the_gateway_of_juicefs_takes_all_that_it_knows() -> None:
    assert set_up()["bucket"].state is State.MADE
    found = set_up()
    assert State.FAILED not in {item.state for item in found.values()}
    assert found["bucket"].state is State.THERE
    assert ("world", "originals", Verdict.THERE) in {(one.who, one.what, one.verdict) for one in bucket.check()}
