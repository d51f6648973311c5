"""What GitHub reads: workflows, Dependabot; and the compose file, which has a schema, too."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, "vendor.github-workflows"),
    GITHUB / "dependabot.yml": "vendor.dependabot",
    ROOT / "docker-compose.yml": "vendor.compose-spec",
}
BREAKS = {
    "vendor.github-workflows": ("runs-on:", "run-on:"),
    "vendor.dependabot": ("package-ecosystem: npm", "package-ecosystem: nmp"),
    "vendor.compose-spec": ("read_only: true", "readonly: true"),
}


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(tool)
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_it_obeys_its_schema_and_a_misspelt_copy_does_not(path: Path, tmp_path: Path) -> None:
    checked = run("check-jsonschema", "--builtin-schema", SCHEMAS[path], str(path))
    assert checked.returncode == 0, checked.stdout
    right, wrong = BREAKS[SCHEMAS[path]]
    assert right in path.read_text()
    broken = tmp_path / path.name
    broken.write_text(path.read_text().replace(right, wrong))
    assert run("check-jsonschema", "--builtin-schema", SCHEMAS[path], str(broken)).returncode == 1


def test_workflows_have_no_holes_that_are_known(tmp_path: Path) -> None:
    found = run("zizmor", "--offline", "--no-progress", str(GITHUB))
    assert found.returncode == 0, found.stdout
    broken = tmp_path / "open.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("make test PYTHON=python", "echo ${{ github.head_ref }}"))
    assert run("zizmor", "--offline", "--no-progress", str(broken)).returncode != 0


def test_a_release_tells_its_part_of_the_changelog() -> None:
    script = str(GITHUB / "release_notes.py")
    told = subprocess.run([sys.executable, script, "Unreleased"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("### ")
    assert "\n## " not in told.stdout
    unknown = subprocess.run([sys.executable, script, "v99.0"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (unknown.returncode, unknown.stdout) == (1, "")
