"""The unit for systemd that docs/proxies.md has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import ROOT
from tests.proxies.running import documented

pytestmark = pytest.mark.proxies


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    page = documented("systemd")
    assert "/opt/gallimg/.venv/bin/python manage.py serve" in page
    here = page.replace("/opt/gallimg/.venv/bin/python", sys.executable).replace("/opt/gallimg", str(ROOT))
    unit = tmp_path / "gallimg.service"
    unit.write_text(here)
    found = subprocess.run([program, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
