"""The trial of docs/cutover.md, typed in as it stands there."""

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.documentation.terminal import Step, Terminal, blocks, section, walk
from tests.e2e.service import ROOT, running, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # a minute or two, and on a busy machine many
    pytest.mark.skipif(
        not (shutil.which("npm") and shutil.which("curl")),
        reason="needs Node 20.9 or newer with npm, and curl: apt-get install npm curl",
    ),
]

PAGE = "docs/cutover.md"
LIMIT_S = 600.0
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


def test_the_trial_gives_what_the_page_shows(tmp_path: Path) -> None:
    text = section(PAGE, "Try it")
    _, install, _, run, export, early, site, ask, look, diff, half, all_, upload, worse, turn, fallen, back, off = walk(
        text
    )
    [program] = blocks(text, "js")
    folder, script = tmp_path / "site", tmp_path / "upload.mjs"
    settings = dict(setting.split("=") for setting in export.command.split()[1:]) | {"LEGACY_FOLDER": str(folder)}
    assert run.command.strip() == "make run"
    with running(tmp_path / "data", settings) as service:
        real = {"$PWD/var/site": str(folder), "var/site": str(folder), "var/upload.mjs": str(script)}
        real["http://127.0.0.1:8080"] = service.url
        terminal = Terminal(tmp_path, real, env=service.env, limit_s=LIMIT_S)
        terminal.exported = export.command
        script.write_text(
            program.replace("../clients", f"{ROOT}/clients").replace("http://127.0.0.1:8080", service.url)
        )

        def shows(step: Step) -> bool:
            """Whether what is shown is answered now, line by line; a point stands for anything, as times do."""
            answer = _TIME.sub("", terminal.type(step.command))
            lines = [line for line in _TIME.sub("", step.shown).splitlines() if line.strip() not in ("", "…")]
            return all(line in answer for line in lines)

        assert "requirements-shadow.txt" in install.command
        assert shows(early)
        assert shows(site)
        assert terminal.type(ask.command).count('"shadowId":') == 6
        wait_until(lambda: shows(look), LIMIT_S, "the first verdict", every_s=1)
        wait_until(lambda: shows(diff), LIMIT_S, "all verdicts", every_s=1)
        assert shows(half)
        assert shows(all_)
        wait_until(lambda: shows(upload), LIMIT_S, "an answer about the flag in time", every_s=1)
        terminal.type(worse.command)
        assert terminal.type(turn.command).count('"shadowId":') == 6
        wait_until(lambda: shows(fallen), LIMIT_S, "the flag to fall back", every_s=1)
        assert shows(back)
        assert shows(off)
