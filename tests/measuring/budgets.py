"""What an upload, a job and a poll cost, counted: the table of docs/scaling.md. services/test_budgets.py holds it."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass


@dataclass(slots=True)
class Cost:
    """statements: of SQL, without those that begin and end transactions. s3: requests. redis: commands."""

    statements: int = 0
    transactions: int = 0
    s3: int = 0
    redis: int = 0


#: In a process that has done the same before, with nobody else at work.
BUDGETS: Mapping[str, Cost] = {
    "an upload of one part, until its 202": Cost(8, 1, 1, 8),
    "– of 25 MB, in three parts": Cost(8, 1, 5, 8),
    "a wake-up, and the job that it finds": Cost(14, 4, 5, 47),
    "– each further job of the same wake-up": Cost(12, 3, 5, 3),
    "– each time that a longer job says how far it is": Cost(1, 0, 0, 0),
    "– and that it has come to another stage": Cost(2, 1, 0, 0),
    "a poll of a job that waits": Cost(2, 0, 0, 0),
    "– of one that is done": Cost(2, 0, 0, 0),
}


def table() -> str:
    """Return the budgets as Markdown."""
    lines = ["| what | SQL statements | transactions | calls of S3 | commands of Redis |", "|---|---|---|---|---|"]
    lines += [f"| {what} | " + " | ".join(map(str, astuple(cost))) + " |" for what, cost in BUDGETS.items()]
    return "\n".join(lines) + "\n"
