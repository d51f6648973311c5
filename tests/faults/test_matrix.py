"""Whatever a call of S3 meets: it goes well all the same, or ends with a clear code, and nothing is lost or left."""

from pathlib import Path

import pytest

from tests.faults.matrix import Cell, cells
from tests.faults.runner import run_cell
from tests.faults.scenarios import Context

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cell", [cell for cell in cells() if not cell.stalls], ids=str)
def test_a_fault(cell: Cell, context: Context, temporary: Path) -> None:
    run_cell(cell, context, temporary)
