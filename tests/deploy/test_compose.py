"""docker-compose.yml: that it starts what it promises, with settings that are some, and an S3 server that works."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.core.management import get_commands

from gallimg_site.env import Env
from media_jobs.adapters.bucket import policies
from tests.e2e.service import ROOT
from tests.servers.seaweed import start

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("web", "worker", "requests", "bucket")
_VARIABLE = re.compile(r"\$\{(\w+)(:?[-?])?([^}]*)\}")


def interpolated(text: str, env: Mapping[str, str]) -> str:
    """What compose makes of `${NAME}`, `${NAME-default}`, `${NAME:-default}` and `${NAME:?why}`."""

    def value(found: re.Match[str]) -> str:
        name, operator, word = found.groups()
        if name in env and (env[name] or not (operator or "").startswith(":")):
            return env[name]
        assert operator != ":?", f"{name}: {word}"
        return word if operator else ""

    return _VARIABLE.sub(value, text)


def variables() -> set[str]:
    """Those that have to be in .env."""
    return {name for name, operator, _ in _VARIABLE.findall(json.dumps(COMPOSE)) if operator == ":?"}


SECRETS = {name: f"secret-of-{name.lower().replace('_', '-')}" for name in variables()}


def environment(service: str) -> dict[str, str]:
    return {
        name: interpolated(str(value), SECRETS) for name, value in COMPOSE["services"][service]["environment"].items()
    }


def test_everything_that_was_promised_is_there_and_named_in_the_recipe() -> None:
    promised = {"web", "worker", "postgres", "valkey", "nats", "seaweedfs", "prometheus", "grafana"}
    assert promised <= set(COMPOSE["services"])
    recipe = (ROOT / "docker-compose.yml").read_text().partition("x-service")[0]
    assert all(name in recipe for name in variables())


def test_settings_are_some_and_commands_are_ours() -> None:
    bucket_only = {"ADMIN_AWS_ACCESS_KEY_ID", "ADMIN_AWS_SECRET_ACCESS_KEY"}
    for service in OURS:
        assert set(environment(service)) - bucket_only <= set(Env.__dataclass_fields__), service
        assert COMPOSE["services"][service]["command"][0] in get_commands()
        assert COMPOSE["services"][service]["read_only"]
        assert any(str(volume).endswith("/tmp") for volume in COMPOSE["services"][service]["volumes"])


#: Whose secrets of the bucket a container has.
BUCKET_SECRETS = {
    "web": {"S3_WEB_SECRET", "S3_READ_SECRET"},
    "worker": {"S3_WORKER_SECRET"},
    "requests": {"S3_WORKER_SECRET"},
    "bucket": {"S3_ADMIN_SECRET", "S3_WEB_SECRET"},
}


def test_no_container_has_the_secrets_of_another_role() -> None:
    for service, names in BUCKET_SECRETS.items():
        had = {name for name, secret in SECRETS.items() if secret in environment(service).values()}
        assert {name for name in had if name.startswith("S3_")} == names, service
        assert all(file["path"] != ".env" for file in COMPOSE["services"][service]["env_file"])


def test_files_that_are_mounted_are_there_and_volumes_are_declared() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (
                (ROOT / source).exists()
                if source.startswith("./")
                else source in {*COMPOSE["volumes"], "/data", "/tmp"}
            )


def test_the_policies_of_its_users_are_those_that_we_print() -> None:
    users = json.loads(interpolated(COMPOSE["configs"]["s3_users"]["content"], SECRETS))
    printed = {name: getattr(policies, name)("gallimg") for name in ("web", "worker", "read", "admin")}
    assert {policy["name"]: json.loads(policy["content"]) for policy in users["policies"]} == printed


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """SeaweedFS with the users of the compose file, started with its options."""
    config = tmp_path / "s3.json"
    config.write_text(interpolated(COMPOSE["configs"]["s3_users"]["content"], SECRETS))
    given = dict(option.lstrip("-").split("=", 1) for option in COMPOSE["services"]["seaweedfs"]["command"][1:])
    kept = {name: value for name, value in given.items() if name not in ("dir", "ip.bind", "s3.config")}
    server, url = start(tmp_path, config, kept)
    try:
        server.wait_until(lambda: httpx.get(f"{url}/healthz").raise_for_status(), httpx.HTTPError)
        yield url
    finally:
        server.stop()


@pytest.mark.slow
def test_each_role_may_do_what_it_has_to_and_no_more(endpoint: str, tmp_path: Path) -> None:
    """`bucket setup`, as its service runs it, then `bucket check` with the keys of all the others."""
    here = {
        "GALLIMG_DATA": str(tmp_path),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "CDN_BASE_URL": "",
        "S3_ENDPOINT": endpoint,
    }
    setup = {**os.environ, **environment("bucket"), **here}
    own = {name: value for role in ("web", "worker") for name, value in environment(role).items()}
    keys = {name: value for name, value in own.items() if name.endswith(("_ACCESS_KEY_ID", "_SECRET_ACCESS_KEY"))}
    for command, env in {("setup", "--public"): setup, ("check",): {**setup, **keys}}.items():
        done = subprocess.run(
            [sys.executable, "manage.py", "bucket", *command],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
