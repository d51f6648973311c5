"""Keeps out of the processes what libraries import for no other reason than that it is installed.

rich comes with a package that has it, and structlog takes it for tracebacks of its own; REST framework takes requests,
YAML and psycopg for parts that nobody uses here. That is memory of every process, and time of every start.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Have imports of these modules fail meanwhile, as if they were not installed, unless they are there already."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is how Python spells it
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)
