"""Alerts and dashboard: each expression by Prometheus' grammar, each alert by promtool, and in the handbook."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest

from tests.deploy import promql
from tests.e2e.service import ROOT

#: What each host tells of itself alone: everything else is the database's, and the same from all.
OF_A_HOST = re.compile(r"up|database_up|disk_free_bytes|process_.*|django_.*|ALERTS")
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: apt install prometheus")


@pytest.mark.parametrize("name", promql.expressions())
def test_an_expression_is_one_and_adds_no_totals_up_that_every_host_tells(name: str) -> None:
    tree = promql_parser.parse(promql.expressions()[name])
    for metric, above in promql.selectors(tree):
        aggregated = [str(node.op) for node in above if isinstance(node, promql_parser.AggregateExpr)]
        assert OF_A_HOST.fullmatch(metric) or (aggregated and aggregated[-1] == "max"), metric


def test_two_sides_of_an_alert_are_compared_by_labels_that_both_have() -> None:
    """The seed's own expression never fires: one side has a lane, the other a host."""
    seeds = promql.rules()[0]
    assert seeds["alert"] == "QueueDeep"
    assert (seeds["for"], seeds["labels"]["severity"]) == ("5m", "warning")
    tree = promql_parser.parse(seeds["expr"])
    assert "on () group_left () " in seeds["expr"]
    assert {name for name, _ in promql.selectors(tree)} == {"queue_depth", "worker_slots"}


def test_the_dashboard_has_a_panel_for_each_question_and_no_two_in_one_place() -> None:
    dashboard = json.loads(promql.DASHBOARD.read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["description"], panel["title"]
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${source}"
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def promtool(*arguments: str, folder: Path = promql.RULES.parent) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@needs_promtool
def test_each_alert_fires_when_it_should_and_a_broken_one_is_noticed(tmp_path: Path) -> None:
    checked = promtool("check", "rules", "rules.yml")
    assert (checked.returncode, f"{len(promql.rules())} rules found" in checked.stdout) == (0, True)
    played = promtool("test", "rules", "rules.test.yml")
    assert played.returncode == 0, played.stdout + played.stderr
    tests = promql.RULES.with_name("rules.test.yml").read_text()
    assert all(f"alertname: {rule['alert']}\n        exp_alerts" in tests for rule in promql.rules())
    (tmp_path / "rules.test.yml").write_text(tests)
    (tmp_path / "rules.yml").write_text(promql.RULES.read_text().replace("on () group_left () ", ""))
    assert promtool("test", "rules", "rules.test.yml", folder=tmp_path).returncode == 1


@needs_promtool
def test_what_prometheus_reads_in_compose_is_valid(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(promql.RULES.read_text())
    (tmp_path / "token").write_text("a token")
    text = promql.RULES.with_name("prometheus.yml").read_text()
    assert "/run/secrets/metrics_token" in text
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(tmp_path / "token")))
    checked = promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("rule", promql.rules(), ids=lambda rule: rule["alert"])
def test_the_handbook_says_what_an_alert_means_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    handbook, _, anchor = rule["annotations"]["runbook"].partition("#")
    sections = re.split(r"^### ", (ROOT / handbook).read_text(), flags=re.MULTILINE)
    [section] = [text for text in sections if text.partition("\n")[0] == rule["alert"]]
    assert anchor == str(rule["alert"]).lower()
    means, _, first = section.partition("**First**")
    assert len(means.split()) > 10
    assert len(first.split()) > 10
