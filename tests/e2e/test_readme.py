"""The README's walk, typed in as it stands there, gives what it says."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import ROOT, Service, wait_until
from tests.servers import die_with_parent, free_ports

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl"),
]

_DIGEST = re.compile(r"/[0-9a-f]{32}\.")


@dataclass(frozen=True)
class Step:
    command: str
    shown: str


def walk(section: str) -> list[Step]:
    """The commands of the console blocks in a section of the README, each with the output that stands below it."""
    found = re.search(rf"(?ms)^##+ {section}$(.+?)^##", (ROOT / "README.md").read_text())
    assert found, section
    text = found[1]
    blocks = re.findall(r"(?ms)^```console\n(.+?)^```$", text)
    steps = [part.partition("\n") for block in blocks for part in re.split(r"(?m)^\$ ", block)[1:]]
    return [Step(command, shown) for command, _, shown in steps]


class Terminal:
    """Runs the README's commands, with this machine's paths and this run's ids for the README's.

    env: what this machine needs besides. exported: a command that comes before each of the others.
    """

    def __init__(self, folder: Path, real: Mapping[str, str], *, env: Mapping[str, str] | None = None) -> None:
        self.real = {
            ".venv/bin/python": sys.executable,
            "/tmp/photos": str(folder / "photos"),
            "/tmp/out": str(folder / "out"),
            **real,
        }
        self.exported = ""
        self._env = {**os.environ, **(env or {})}

    def type(self, command: str) -> str:
        return subprocess.run(
            self._shell(command),
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    @contextmanager
    def leave_running(self, command: str, log: Path) -> Iterator[Path]:
        """As in a terminal of its own, until Ctrl-C at the end of the block. `log` is what it shows."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._shell(command.removesuffix("&")),
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )
        try:
            yield log
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)

    def _shell(self, command: str) -> list[str]:
        """The command as this machine runs it."""
        command = f"{self.exported}\n{command}"
        for shown, real in self.real.items():
            command = command.replace(shown, real)
        return ["bash", "-o", "pipefail", "-c", command]

    def as_shown(self, output: str) -> str:
        """`output` with the README's paths and ids."""
        for shown, real in self.real.items():
            output = output.replace(real, shown)
        return output


def media(service: Service) -> str:
    """Where a service has its derivatives."""
    bucket, endpoint = service.env.get("S3_BUCKET"), service.env.get("S3_ENDPOINT")
    return f"{endpoint}/{bucket}" if bucket else f"{service.url}/media"


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
    draw, look, upload, poll, check, alone = walk("Upload a picture")
    terminal = Terminal(tmp_path, {"http://127.0.0.1:8080/media": media(service), "http://127.0.0.1:8080": service.url})

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


def test_the_walk_past_the_service_gives_what_it_shows(service: Service, tmp_path: Path) -> None:
    draw = walk("Upload a picture")[0]
    begin, write_down, send, accept = walk("Straight to the storage")
    terminal = Terminal(tmp_path, {"http://127.0.0.1:8080": service.url})
    terminal.type(draw.command)
    begun = body(terminal.type(begin.command))
    assert begun.keys() == body(begin.shown).keys()
    terminal.real[body(begin.shown)["uploadId"]] = begun["uploadId"]
    terminal.type(write_down.command)
    for step in (send, accept):
        answered = terminal.type(step.command).replace("\r", "").splitlines()
        assert [line for line in step.shown.splitlines() if line not in (*answered, "…")] == []
    assert service.finished(body("\n".join(answered))["jobId"])["status"] == "done"


@pytest.mark.s3
def test_the_walk_on_s3_gives_what_it_shows(tmp_path: Path) -> None:
    draw = walk("Upload a picture")[0]
    names, secrets, install, storage, setup, run, upload, poll, derivative, original = walk("On S3")
    here, port = Path(sys.prefix), free_ports(1)[0]
    ports = dict(zip(SEAWEED_PORTS, free_ports(len(SEAWEED_PORTS)), strict=True))
    elsewhere = " ".join(f"-{name}={number}" for name, number in {**ports, **SEAWEED_EXTRAS}.items())
    terminal = Terminal(
        tmp_path,
        {
            "var/s3": str(tmp_path / "s3"),
            "var/on-s3": str(tmp_path / "data"),
            ".venv/bin/weed mini": f"{here}/bin/weed mini {elsewhere}",
            "127.0.0.1:8333": f"127.0.0.1:{ports['s3.port']}",
            "http://127.0.0.1:8080": f"http://127.0.0.1:{port}",
            "make run": f"make -o {here}/.run VENV={here} run",  # whatever is installed here stays as it is
        },
        env={
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PORT": str(port),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
    )
    terminal.type(draw.command)
    terminal.exported = f"{names.command}\n{secrets.command}"
    terminal.type(install.command)
    with terminal.leave_running(storage.command, tmp_path / "weed.log"):
        wait_until(lambda: is_listening(ports["s3.port"]), 60, "SeaweedFS")
        assert terminal.type(setup.command) == setup.shown
        with terminal.leave_running(run.command, tmp_path / "run.log") as log:
            wait_until(lambda: "two sample photographs: done and done" in log.read_text(), 120, "gallimg ready")
            assert f"http://127.0.0.1:{ports['s3.port']}/gallimg/full/" in log.read_text()

            answer = terminal.type(upload.command)
            terminal.real |= {body(upload.shown)[name]: body(answer)[name] for name in ("jobId", "imageId")}
            wait_until(lambda: body(terminal.type(poll.command))["status"] == "done", 60, "the picture")
            job = body(terminal.as_shown(terminal.type(poll.command)))
            assert job["derivatives"][0]["url"].startswith("http://127.0.0.1:8333/gallimg/full/")

            full = re.sub(r"http\S+", job["derivatives"][0]["url"], derivative.command)
            answered = terminal.as_shown(terminal.type(full)).replace("\r", "").splitlines()
            assert [line for line in derivative.shown.splitlines() if line not in (*answered, "…")] == []
            assert terminal.type(original.command) == original.shown


#: What SeaweedFS listens on; the README leaves it at its defaults.
SEAWEED_PORTS = [
    f"{part}.port{kind}" for part in ("admin", "filer", "master", "s3", "volume") for kind in ("", ".grpc")
]


#: What else it would listen on, at ports that cannot be chosen.
SEAWEED_EXTRAS = {"s3.port.iceberg": 0, "s3.port.lance": 0, "webdav": "false"}


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
