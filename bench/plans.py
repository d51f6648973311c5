"""Which tables a database means to read from end to end for a statement."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def whole_tables(act: Callable[[], object]) -> dict[str, set[str]]:
    """Each statement that `act` sends, with the tables that its plan reads whole.

    Planned anew afterwards, with the data as it is then.
    """
    with CaptureQueriesContext(connection) as captured:
        act()
    statements = dict.fromkeys(query["sql"] for query in captured)
    return {sql: _read_whole(sql) for sql in statements if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))}


def _read_whole(sql: str) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            answer = cursor.fetchone()[0]
            [explained] = json.loads(answer) if isinstance(answer, str) else answer
            return set(_scanned(explained["Plan"]))
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        steps = [detail.split() for *_, detail in cursor.fetchall()]
        return {step[1] for step in steps if step[0] == "SCAN" and "INDEX" not in step}


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from _scanned(below)
