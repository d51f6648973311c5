"""fly.toml, against what the service needs of a platform."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import get_commands

from gallimg_site.env import Env
from media_jobs.api.shared.readiness import LONGEST_WAIT_S
from media_jobs.runtime.parked_sockets import HEARTBEAT_S
from tests.e2e.service import ROOT, STOP_LIMIT_S

TEXT = (ROOT / "fly.toml").read_text()
#: What flyctl knows, as far as it is used here: it ignores what is misspelt.
KNOWN = {
    "": "app primary_region kill_signal kill_timeout swap_size_mb build deploy env processes http_service metrics vm",
    "build": "dockerfile",
    "deploy": "strategy release_command release_command_timeout release_command_vm",
    "deploy.release_command_vm": "size memory",
    "http_service": "processes internal_port force_https auto_stop_machines auto_start_machines min_machines_running "
    "concurrency http_options checks",
    "http_service.concurrency": "type soft_limit hard_limit",
    "http_service.http_options": "idle_timeout",
    "http_service.checks": "method path grace_period interval timeout",
    "metrics": "processes port path",
    "vm": "processes size memory",
}


def default(setting: str) -> int:
    return int(getattr(Env, setting))


def apart() -> str:
    """The file as one changes it who runs web and workers apart: what it shows in comments stands for what it names."""
    together, _, shown = TEXT.partition("# --- web and workers apart")
    shown = "\n".join(line.removeprefix("# ").removeprefix("#") for line in shown.splitlines()[3:])
    changed = re.sub(r"(\[processes\]|\[\[(metrics|vm)\]\])\n(.+\n)*", "", together)
    changed = changed.replace('processes = ["app"]', 'processes = ["web"]')
    return changed + shown.replace('[http_service]\nprocesses = ["web"]\n', "")


VARIANTS = {"one group": tomllib.loads(TEXT), "two groups": tomllib.loads(apart())}


def unknown(table: Any, path: str = "") -> Iterator[str]:
    for entry in table if isinstance(table, list) else [table]:
        for name, value in entry.items():
            if name not in KNOWN[path].split():
                yield f"{path}.{name}"
            elif isinstance(value, dict | list) and name not in ("env", "processes"):
                yield from unknown(value, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize("fly", VARIANTS.values(), ids=VARIANTS)
def test_every_key_is_one_and_every_group_has_a_command_and_a_machine(fly: dict[str, Any]) -> None:
    assert list(unknown(fly)) == []
    groups = set(fly["processes"])
    assert {command.split()[0] for command in fly["processes"].values()} <= set(get_commands())
    named = [
        *fly["http_service"]["processes"],
        *(g for part in ("vm", "metrics") for t in fly[part] for g in t["processes"]),
    ]
    assert set(named) == groups
    assert set(fly["env"]) <= set(Env.__dataclass_fields__)


def test_it_is_the_machine_of_the_seed_and_gives_the_service_the_time_that_it_takes() -> None:
    fly = VARIANTS["one group"]
    assert fly["processes"] == {"app": "serve"}
    assert [(vm["size"], vm["memory"]) for vm in fly["vm"]] == [("shared-cpu-1x", "256mb")]
    http = fly["http_service"]
    assert http["http_options"]["idle_timeout"] > max(LONGEST_WAIT_S, HEARTBEAT_S)
    assert http["concurrency"]["hard_limit"] > default("MAX_WAITERS") + default("WEB_THREADS")
    assert http["internal_port"] == default("PORT")
    assert http["checks"][0]["path"] == "/healthz"
    assert 25 < int(fly["kill_timeout"].rstrip("s")) < STOP_LIMIT_S
    deploy = fly["deploy"]
    assert (deploy["strategy"], deploy["release_command"], deploy["release_command_timeout"]) == (
        "rolling",
        "migrate",
        "5m",
    )
    assert fly["metrics"][0]["port"] == int(fly["env"]["METRICS_PORT"])
