"""A real S3 server on loopback that enforces policies: SeaweedFS, out of its wheel."""

import json
import secrets
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.keys import PUBLIC_PREFIXES
from tests.servers import Server, free_ports, temporary_folder


@dataclass(frozen=True)
class SeaweedFS:
    """An S3 server with one bucket, which everybody may read under the public prefixes.

    web may put objects and abort uploads, read may get objects, worker may do all: pairs of key and secret.
    """

    endpoint_url: str
    bucket: str
    web: tuple[str, str]
    worker: tuple[str, str]
    read: tuple[str, str]
    pid: int


@contextmanager
def seaweedfs() -> Iterator[SeaweedFS]:
    with temporary_folder() as folder:
        bucket = "gallimg"
        users = {name: (name, secrets.token_hex(16)) for name in ("web", "worker", "read")}
        (folder / "s3.json").write_text(json.dumps(_seaweed_users(bucket, users)))
        parts = ("admin", "filer", "master", "s3", "volume")
        names = [f"{part}.port{kind}" for part in parts for kind in ("", ".grpc")]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        options = {
            "dir": str(folder),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "bucket": bucket,
            "s3.config": str(folder / "s3.json"),
            "s3.localSocket": str(folder / "s3.sock"),
            "filer.localSocket": str(folder / "filer.sock"),
            "admin.ui": "false",
            "webdav": "false",
            "s3.iam": "false",
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "master.telemetry": "false",
        } | {name: str(port) for name, port in ports.items()}
        weed = Path(sysconfig.get_path("scripts")) / "weed"
        command = [
            str(weed),
            "-logtostderr",
            "mini",
            *(f"-{name}={value}" for name, value in options.items()),
        ]
        server = Server("SeaweedFS", command, folder)
        endpoint_url = f"http://127.0.0.1:{ports['s3.port']}"
        admin = s3_client(endpoint_url, users["worker"])

        def ready() -> None:
            admin.put_object(Bucket=bucket, Key="uploads/ready", Body=b"")
            admin.delete_object(Bucket=bucket, Key="uploads/ready")
            admin.put_bucket_policy(Bucket=bucket, Policy=json.dumps(public_read_policy(bucket)))

        server.wait_until(ready, BotoCoreError, ClientError)
        admin.close()
        try:
            yield SeaweedFS(endpoint_url, bucket, users["web"], users["worker"], users["read"], server.pid)
        finally:
            server.stop()


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


def public_read_policy(bucket: str) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{bucket}/{prefix}*" for prefix in PUBLIC_PREFIXES]
    return _policy({"Principal": "*", "Action": "s3:GetObject", "Resource": resources})


def _seaweed_users(bucket: str, users: dict[str, tuple[str, str]]) -> dict[str, Any]:
    allowed = {"web": ["s3:PutObject", "s3:AbortMultipartUpload"], "read": ["s3:GetObject"]}
    identities = [
        {
            "name": name,
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": [] if name in allowed else ["Admin"],
            "policyNames": [name] if name in allowed else [],
        }
        for name, (key, secret) in users.items()
    ]
    everything = [f"arn:aws:s3:::{bucket}/*"]
    policies = [
        {"name": name, "content": json.dumps(_policy({"Action": actions, "Resource": everything}))}
        for name, actions in allowed.items()
    ]
    return {"identities": identities, "policies": policies}


def _policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
