"""The README's walk, typed in as it stands there, gives what it says."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import ROOT, Service

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl"),
]

_DIGEST = re.compile(r"/[0-9a-f]{32}\.")


@dataclass(frozen=True)
class Step:
    command: str
    shown: str


def walk() -> list[Step]:
    """The commands of the README's console blocks, each with the output that stands below it."""
    blocks = re.findall(r"(?ms)^```console\n(.+?)^```$", (ROOT / "README.md").read_text())
    steps = [part.partition("\n") for block in blocks for part in re.split(r"(?m)^\$ ", block)[1:]]
    return [Step(command, shown) for command, _, shown in steps]


class Terminal:
    """Runs the README's commands against a service, with this machine's paths and this run's ids for the README's."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.real = {
            ".venv/bin/python": sys.executable,
            "/tmp/photos": str(folder / "photos"),
            "/tmp/out": str(folder / "out"),
            "http://127.0.0.1:8080": service.url,
        }

    def type(self, command: str) -> str:
        for shown, real in self.real.items():
            command = command.replace(shown, real)
        pipefail = ["bash", "-o", "pipefail", "-c", command]
        return subprocess.run(pipefail, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout

    def as_shown(self, output: str) -> str:
        """`output` with the README's paths and ids."""
        for shown, real in self.real.items():
            output = output.replace(real, shown)
        return output


def timeless(answer: str) -> str:
    """Without the estimates, which depend on how busy this machine is."""
    return re.sub(r'("estimatedTime":|Retry-After: )[0-9]+', r"\g<1>0", answer)


def body(answer: str) -> dict[str, Any]:
    """The JSON object at the end of what curl printed."""
    found: dict[str, Any] = json.loads(answer[answer.index("{") :])
    return found


def comparable(job: dict[str, Any]) -> dict[str, Any]:
    """Without what depends on the decoder's version: sizes in bytes and digests."""
    derivatives = [{**d, "bytes": d["bytes"] > 0} for d in job["derivatives"]]
    cleaned: dict[str, Any] = json.loads(_DIGEST.sub("/digest.", json.dumps({**job, "derivatives": derivatives})))
    return cleaned


def test_the_walk_of_the_readme_gives_what_it_shows(service: Service, tmp_path: Path) -> None:
    draw, look, upload, poll, check, alone = walk()
    terminal = Terminal(service, tmp_path)

    terminal.type(draw.command)
    assert terminal.type(look.command).split() == look.shown.split()

    answer = terminal.type(upload.command)
    terminal.real |= {body(upload.shown)[name]: body(answer)[name] for name in ("jobId", "imageId")}
    answered, shown = timeless(terminal.as_shown(answer)), timeless(upload.shown)
    assert body(answered) == body(shown)
    assert [line for line in shown.split("…")[0].splitlines() if line not in answered.splitlines()] == []

    service.finished(body(answer)["jobId"])
    job = terminal.as_shown(terminal.type(poll.command))
    assert comparable(body(job)) == comparable(body(poll.shown))

    terminal.type(alone.command)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{derivative['name']}.jpg" for derivative in body(job)["derivatives"]
    )

    if not shutil.which("exiftool"):
        pytest.skip("the last step needs exiftool: apt-get install libimage-exiftool-perl")
    full = body(job)["derivatives"][0]["url"]
    seen = terminal.type(re.sub(r"http\S+", full, check.command))
    assert seen.splitlines()[1:] == check.shown.splitlines()[1:], "the first line is exiftool's version"
