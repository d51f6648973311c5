"""The client for Python is a package of its own."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "clients/python/gallimg_client"


def test_it_needs_httpx_and_nothing_else() -> None:
    named: set[str] = set()
    for module in PACKAGE.glob("*.py"):
        for found in ast.walk(ast.parse(module.read_text())):
            if isinstance(found, ast.Import):
                named |= {name.name.partition(".")[0] for name in found.names}
            elif isinstance(found, ast.ImportFrom):
                named.add((found.module or "").partition(".")[0])
    assert named - sys.stdlib_module_names == {"httpx", "gallimg_client"}


@pytest.mark.slow
def test_it_can_be_built_and_used_elsewhere(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--wheel"]
    subprocess.run([*build, "--out-dir", tmp_path, "clients/python"], cwd=ROOT, check=True)
    [wheel] = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path, "zip")
    [facts] = tmp_path.glob("*.dist-info/METADATA")
    assert [line for line in facts.read_text().splitlines() if line.startswith("Requires-Dist:")] == [
        "Requires-Dist: httpx>=0.27,<1"
    ]
    assert {path.name for path in (tmp_path / "gallimg_client").iterdir()} == {
        path.name for path in PACKAGE.iterdir() if path.is_file()
    }
    say = "import gallimg_client; print(gallimg_client.__file__)"
    run = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {say}"]
    printed = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(tmp_path / "gallimg_client/__init__.py")
