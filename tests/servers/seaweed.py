"""A real S3 server on loopback that enforces policies: SeaweedFS, out of its wheel."""

import json
import secrets
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.bucket import policies
from media_jobs.adapters.bucket.policies import PROBE, Policy, policy
from media_jobs.adapters.bucket.setup import Plan, Setup, State
from tests.servers import Server, free_ports, temporary_folder

Credentials = tuple[str, str]

_ROLES = {"web": policies.web, "worker": policies.worker, "read": policies.read, "admin": policies.admin}
NOBODY: Mapping[str, Policy] = {}
NO_OPTIONS: Mapping[str, str] = {}


@dataclass(frozen=True)
class SeaweedFS:
    """An S3 server with one bucket, as `manage.py bucket setup --public` makes it.

    web, worker, read, admin: keys and secrets whose rights are what `manage.py bucket policy` prints, for this bucket
    and for all whose names begin with its name and "-". users: those that the test asked for, by name.
    """

    endpoint_url: str
    bucket: str
    web: Credentials
    worker: Credentials
    read: Credentials
    pid: int
    admin: Credentials
    users: Mapping[str, Credentials]


@contextmanager
def seaweedfs(
    bucket: str = "gallimg", *, users: Mapping[str, Policy] = NOBODY, bare: bool = False
) -> Iterator[SeaweedFS]:
    """A running server. users: more of them, by their policies. bare: without the bucket."""
    rights = {**{name: _both(make, bucket) for name, make in _ROLES.items()}, **users}
    secret = {name: (name, secrets.token_hex(16)) for name in rights}
    with temporary_folder() as folder:
        (folder / "s3.json").write_text(json.dumps(_identities(rights, secret, forms=f"Write:{bucket}*")))
        server, endpoint_url = start(folder, folder / "s3.json")
        running = SeaweedFS(
            endpoint_url,
            bucket,
            **{name: secret[name] for name in _ROLES},
            pid=server.pid,
            users={name: secret[name] for name in users},
        )
        server.wait_until(lambda: _is_ready(running), BotoCoreError, ClientError)
        if not bare:
            make_bucket(running)
        try:
            yield running
        finally:
            server.stop()


def start(folder: Path, users: Path, options: Mapping[str, str] = NO_OPTIONS) -> tuple[Server, str]:
    """A server, which may not answer yet, and its URL. users: the file with them. options: more of `weed mini`."""
    parts = ("admin", "filer", "master", "s3", "volume")
    names = [f"{part}.port{kind}" for part in parts for kind in ("", ".grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": str(users),
        "s3.localSocket": str(folder / "s3.sock"),
        "filer.localSocket": str(folder / "filer.sock"),
        "admin.ui": "false",
        "webdav": "false",
        "s3.iam": "false",
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "master.telemetry": "false",
        **options,
    } | {name: str(port) for name, port in ports.items()}
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    command = [
        str(weed),
        "-logtostderr",
        "mini",
        *(f"-{name}={value}" for name, value in options.items()),
    ]
    return Server("SeaweedFS", command, folder), f"http://127.0.0.1:{ports['s3.port']}"


def make_bucket(server: SeaweedFS, *, origins: Sequence[str] = ()) -> None:
    """The server's bucket, made as an operator would."""
    with closing(s3_client(server.endpoint_url, server.admin)) as admin:
        plan = Plan(server.bucket, "us-east-1", public=True, origins=origins, aws=False)
        failed = [item for item in Setup(admin, plan).run() if item.state is State.FAILED]
    assert not failed, failed


def another_bucket(server: SeaweedFS) -> SeaweedFS:
    """The same server with a new, empty bucket of its own."""
    other = replace(server, bucket=f"{server.bucket}-{secrets.token_hex(4)}")
    make_bucket(other)
    return other


def _is_ready(server: SeaweedFS) -> None:
    """Raises while it cannot store yet: a moment after it answers."""
    trial = f"{server.bucket}-trial"
    with closing(s3_client(server.endpoint_url, server.admin)) as admin:
        with suppress(admin.exceptions.BucketAlreadyOwnedByYou):
            admin.create_bucket(Bucket=trial)
        admin.put_object(Bucket=trial, Key=PROBE, Body=b"x")


def use(server: SeaweedFS, settings: Any) -> None:
    """Let this process keep its objects there, each role with its own credentials, as in production."""
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = server.bucket, server.endpoint_url
    settings.S3_WEB_CREDENTIALS, settings.S3_WORKER_CREDENTIALS = server.web, server.worker
    settings.S3_READ_CREDENTIALS = server.read


def s3_client(endpoint_url: str, credentials: tuple[str, str]) -> Any:
    """A plain S3 client that tries once, to look at a store from outside."""
    key, secret = credentials
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def _both(make: Callable[[str], Policy], bucket: str) -> Policy:
    return policy(*make(bucket)["Statement"], *make(f"{bucket}-*")["Statement"])


def _identities(rights: Mapping[str, Policy], secret: Mapping[str, Credentials], *, forms: str) -> dict[str, Any]:
    """forms: the action that SeaweedFS asks of who signed a form. For all else it asks the policies."""
    return {
        "identities": [
            {
                "name": name,
                "credentials": [{"accessKey": key, "secretKey": secret}],
                "actions": [forms] if name == "web" else [],
                "policyNames": [name],
            }
            for name, (key, secret) in secret.items()
        ],
        "policies": [{"name": name, "content": json.dumps(content)} for name, content in rights.items()],
    }
