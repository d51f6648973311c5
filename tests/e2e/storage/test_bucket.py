"""`manage.py bucket` as an operator runs it, beside a server that enforces what it prints."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media_jobs.adapters.bucket import policies
from tests.e2e.service import ROOT
from tests.servers.seaweed import SeaweedFS, another_bucket, seaweedfs

pytestmark = [pytest.mark.e2e, pytest.mark.s3]

ESCAPE = "\x1b"
_PREFIXES = {"web": "AWS", "worker": "WORKER_AWS", "read": "S3_READ", "admin": "ADMIN_AWS"}


@dataclass
class Said:
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def running() -> Iterator[SeaweedFS]:
    everything = policies.policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]})
    with seaweedfs(bare=True, users={"everything": everything}) as found:
        yield found


class Operator:
    def __init__(self, server: SeaweedFS, data: Path) -> None:
        self.server, self.data = server, data

    def bucket(self, *arguments: str, settings: dict[str, str] | None = None, **instead: str) -> Said:
        """What the command says. instead: whose credentials a role is given; none for an empty name."""
        env = {"S3_BUCKET": self.server.bucket, "S3_ENDPOINT": self.server.endpoint_url, "GALLIMG_DATA": str(self.data)}
        for role, prefix in _PREFIXES.items():
            user = instead.get(role, role)
            key, secret = self.credentials(user) if user else ("", "")
            env |= {f"{prefix}_ACCESS_KEY_ID": key, f"{prefix}_SECRET_ACCESS_KEY": secret}
        done = subprocess.run(
            [sys.executable, "manage.py", "bucket", *arguments],
            cwd=ROOT,
            env={**os.environ, **env, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        secrets = [secret for _, secret in map(self.credentials, (*_PREFIXES, "everything"))]
        assert not [secret for secret in secrets if secret in said.out + said.err]
        assert "Traceback" not in said.err
        assert ESCAPE not in said.out
        return said

    def credentials(self, user: str) -> tuple[str, str]:
        found: tuple[str, str] = self.server.users.get(user) or getattr(self.server, user)
        return found


@pytest.fixture
def operator(running: SeaweedFS, tmp_path: Path) -> Operator:
    return Operator(another_bucket(running), tmp_path / "data")


def test_from_an_empty_server_to_a_bucket_that_is_as_it_should_be(running: SeaweedFS, tmp_path: Path):
    operator = Operator(running, tmp_path / "data")
    origins = {"UPLOAD_ORIGINS": "https://a.example, https://b.example"}
    assert "no such bucket" in operator.bucket("check").err
    tried = operator.bucket("setup", "--public", "--dry-run", settings=origins)
    assert (tried.status, tried.out.count("would be made")) == (0, 6)
    assert "no such bucket" in operator.bucket("check").err
    made = operator.bucket("setup", "--public", settings=origins)
    assert (made.status, made.out.count(" made")) == (0, 5)
    again = operator.bucket("setup", "--public", settings=origins)
    assert (again.status, again.out.count("is there")) == (0, 5)
    checked = operator.bucket("check", settings=origins)
    assert (checked.status, checked.err) == (0, "")
    assert checked.out.endswith("All is there, and nothing is more than needed.\n")


def test_an_administrator_begins_before_there_are_any_other_credentials(operator: Operator):
    alone: Any = {"web": "", "worker": "", "read": ""}
    assert json.loads(operator.bucket("policy", "worker", **alone).out) == policies.worker(operator.server.bucket)
    assert operator.bucket("setup", "--public", **alone).status == 0
    said = operator.bucket("check", **alone)
    assert (said.status, "AWS_ACCESS_KEY_ID is not set" in said.out) == (1, True)


def test_one_policy_alone_is_nothing_but_json(operator: Operator):
    said = operator.bucket("policy", "web")
    assert json.loads(said.out) == policies.web(operator.server.bucket)


def test_all_policies_come_with_whose_they_are(operator: Operator):
    said = operator.bucket("policy")
    names = ["web", "read", "worker", "admin", "bucket", "cdn"]
    assert [line.split(" ")[0] for line in said.out.splitlines() if " – " in line] == names
    assert list(json.loads(operator.bucket("policy", "--json").out)) == names


def test_a_site_in_another_bucket_has_a_policy_of_its_own(operator: Operator):
    refused = operator.bucket("policy", "legacy")
    assert (refused.status, "LEGACY_S3_BUCKET is not set" in refused.err) == (1, True)
    said = operator.bucket("policy", "legacy", settings={"LEGACY_S3_BUCKET": "theirs", "LEGACY_PREFIX": "pictures/"})
    assert json.loads(said.out) == policies.legacy("theirs", prefix="pictures/")


def test_rights_that_are_missing_or_too_much_make_it_fail_and_stand_in_a_line_of_their_own(operator: Operator):
    said = operator.bucket("check", web="everything", worker="read", read="")
    assert said.status == 1
    lines = [line.split() for line in said.out.splitlines()]
    assert ["web", "DeleteObject", "more", "than", "needed", "everywhere"] in lines
    assert ["worker", "ListBucket", "missing", "on", "the", "bucket"] in lines
    assert "missing" in said.err
    assert "more than needed" in said.err


def test_programs_get_every_finding(operator: Operator):
    said = operator.bucket("check", "--json", web="everything")
    found: list[dict[str, Any]] = json.loads(said.out)
    assert said.status == 1
    assert {"who": "web", "what": "ListBucket", "verdict": "more than needed", "note": "on the bucket"} in found
    items = json.loads(operator.bucket("setup", "--public", "--json").out)
    assert items[0] == {"name": "bucket", "state": "is there", "note": operator.server.bucket}


def test_one_set_for_all_roles_is_good_and_hinted_at(operator: Operator):
    said = operator.bucket("check", web="worker", worker="", read="")
    assert said.status == 0
    assert "one set for all" in said.out


def test_workers_may_set_nothing_up_and_learn_whose_credentials_were_used(operator: Operator):
    said = operator.bucket("setup", "--public", admin="")
    assert said.status == 1
    assert "With the workers' credentials, as ADMIN_AWS_* is not set" in said.out
    assert "These credentials lack s3:GetBucketPolicy." in said.out
    assert "bucket policy admin" in said.err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"S3_BUCKET": ""}, "S3_BUCKET is not set"),
        ({"S3_ENDPOINT": "http://127.0.0.1:1"}, "does not answer"),
        ({"ADMIN_AWS_SECRET_ACCESS_KEY": "wrong"}, "they are wrong"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(operator: Operator, settings: dict[str, str], sentence: str):
    said = operator.bucket("setup", settings=settings)
    assert said.status == 1
    assert sentence in said.err
    assert said.err.count("\n") == 1
