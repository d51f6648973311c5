"""The columns of the table in which nothing comes back, with time limits that a test can wait for."""

from dataclasses import replace
from pathlib import Path

import pytest

from media_jobs.adapters.storage import s3_calls
from tests.faults.matrix import Cell, cells
from tests.faults.runner import run_cell
from tests.faults.scenarios import Context

pytestmark = pytest.mark.django_db

CALL_LIMITS = replace(s3_calls.CALL_LIMITS, read_s=1.0, attempts=2)


@pytest.mark.parametrize("cell", [cell for cell in cells() if cell.stalls], ids=str)
def test_a_stall(cell: Cell, context: Context, temporary: Path) -> None:
    run_cell(cell, context, temporary)
