"""What alerts and dashboard ask, by Prometheus' own grammar."""

import json
from collections.abc import Iterator
from typing import Any

import promql_parser
import yaml

from tests.e2e.service import ROOT

RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARD = ROOT / "deploy/grafana/dashboards/gallimg.json"
#: What Prometheus makes itself, and what it reads from processes that it scrapes.
PROMETHEUS = frozenset({"ALERTS", "up"})


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> dict[str, str]:
    """By the name of the alert or the panel, and which of its lines."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    dashboard = json.loads(DASHBOARD.read_text())
    found |= {f"annotation {each['name']}": each["expr"] for each in dashboard["annotations"]["list"]}
    for panel in dashboard["panels"]:
        found |= {f"panel {panel['title']} {each['refId']}": each["expr"] for each in panel.get("targets", [])}
    return {name: text.replace("$__rate_interval", "5m") for name, text in found.items()}


def selectors(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The names of all metrics in an expression, each with what stands above it."""
    below = (*above, node)
    match node:
        case promql_parser.VectorSelector():
            yield node.name or "", above
        case promql_parser.MatrixSelector():
            yield node.vector_selector.name or "", above
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs, below)
            yield from selectors(node.rhs, below)
        case promql_parser.Call():
            for argument in node.args:
                yield from selectors(argument, below)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from selectors(node.expr, below)
        case promql_parser.SubqueryExpr():
            yield from selectors(node.expr, below)


def metrics(expression: str) -> set[str]:
    return {name for name, _ in selectors(promql_parser.parse(expression))}
