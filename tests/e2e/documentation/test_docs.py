"""What the README and the pages under docs/ show on a terminal, typed in as it stands there, gives what they say."""

import json
import re
import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.documentation.terminal import Terminal, blocks, media, section, walk
from tests.e2e.service import ROOT, Service, wait_until
from tests.servers import free_ports

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl"),
]

_IDS = ("jobId", "imageId", "duplicateOf")
_DIGEST = re.compile(r"/[0-9a-f]{32}\.")


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


def learn(terminal: Terminal, shown: str, answer: str) -> None:
    """Let this run's ids stand for those that are shown, from now on."""
    terminal.real |= {name: body(answer)[key] for key, name in body(shown).items() if key in _IDS}


def missing(shown: str, answered: str) -> list[str]:
    """The lines that are shown and were not answered; a point stands for any others."""
    lines = answered.replace("\r", "").splitlines()
    return [line for line in shown.splitlines() if line not in (*lines, "…")]


def test_what_the_readme_has_one_paste_gives_what_it_shows(service: Service, tmp_path: Path) -> None:
    text = section("README.md", "Upload a picture")
    upload, alone = blocks(text, "bash")
    (shown,) = blocks(text, "json")
    terminal = Terminal(tmp_path, {"http://127.0.0.1:8080/media": media(service), "http://127.0.0.1:8080": service.url})

    answer = terminal.type(upload)
    learn(terminal, shown, answer)
    assert comparable(body(terminal.as_shown(answer))) == comparable(body(shown))

    terminal.type(alone)
    assert sorted(path.name for path in (tmp_path / "rendered").iterdir()) == sorted(
        f"{derivative['name']}.jpg" for derivative in body(answer)["derivatives"]
    )


def test_an_upload_step_by_step_gives_what_the_page_shows(service: Service, tmp_path: Path) -> None:
    upload, poll, image, check = walk(section("docs/api.md", "An upload, step by step"))
    terminal = Terminal(tmp_path, {"http://127.0.0.1:8080": service.url})
    terminal.type(upload.command)  # as `make run` has done, so that there is a duplicate

    answer = terminal.type(upload.command)
    learn(terminal, upload.shown, answer)
    answered, shown = timeless(terminal.as_shown(answer)), timeless(upload.shown)
    assert body(answered) == body(shown)
    assert missing(shown.split("…\n\n")[0], answered) == []

    service.finished(body(answer)["jobId"])
    job = body(terminal.type(poll.command))
    assert job["status"] == "done"
    assert terminal.type(image.command) == image.shown

    if not shutil.which("exiftool"):
        pytest.skip("the last step needs exiftool: apt-get install libimage-exiftool-perl")
    seen = terminal.type(re.sub(r"http\S+", job["derivatives"][0]["url"], check.command))
    assert seen.splitlines()[1:] == check.shown.splitlines()[1:], "the first line is exiftool's version"


def test_a_direct_upload_gives_what_the_page_shows(service: Service, tmp_path: Path) -> None:
    begin, write_down, send, accept = walk((ROOT / "docs/direct-uploads.md").read_text())
    terminal = Terminal(tmp_path, {"http://127.0.0.1:8080": service.url})
    begun = body(terminal.type(begin.command))
    assert begun.keys() == body(begin.shown).keys()
    terminal.real[body(begin.shown)["uploadId"]] = begun["uploadId"]
    terminal.type(write_down.command)
    assert missing(send.shown, terminal.type(send.command)) == []
    answer = terminal.type(accept.command)
    assert missing(accept.shown, answer) == []
    assert service.finished(body(answer)["jobId"])["status"] == "done"


def test_the_introduction_of_the_document_gives_what_it_shows(service: Service, tmp_path: Path) -> None:
    """As the service itself tells it, with its own address."""
    shown = httpx.get(f"{service.url}/openapi.json").json()["info"]["description"]
    upload, poll = walk(shown)
    (tmp_path / "photo.jpg").write_bytes((ROOT / "media_jobs/demo/samples/bedeguar-gall.jpg").read_bytes())
    key = service.manage("apikey", "create", "introduction").strip()
    terminal = Terminal(tmp_path, {"photo.jpg": str(tmp_path / "photo.jpg")}, env={"KEY": key})
    answer = terminal.type(upload.command)
    learn(terminal, upload.shown, answer)
    assert body(timeless(terminal.as_shown(answer))) == body(timeless(upload.shown))
    job = body(terminal.as_shown(terminal.type(poll.command)))
    assert body(poll.shown.replace(", …", "")).items() <= job.items()


@pytest.mark.s3
def test_the_walk_on_s3_gives_what_the_page_shows(tmp_path: Path) -> None:
    steps = walk(section("docs/storage.md", "Try it on this machine"))
    names, secrets, install, storage, setup, run, upload, poll, derivative, original = steps
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
    terminal.exported = f"{names.command}\n{secrets.command}"
    terminal.type(install.command)
    with terminal.leave_running(storage.command, tmp_path / "weed.log"):
        wait_until(lambda: is_listening(ports["s3.port"]), 60, "SeaweedFS")
        assert terminal.type(setup.command) == setup.shown
        with terminal.leave_running(run.command, tmp_path / "run.log") as log:
            wait_until(lambda: "two sample photographs: done and done" in log.read_text(), 120, "gallimg ready")

            answer = terminal.type(upload.command)
            assert body(answer).keys() == body(upload.shown).keys()
            learn(terminal, upload.shown, answer)
            wait_until(lambda: body(terminal.type(poll.command))["status"] == "done", 60, "the picture")
            job = body(terminal.as_shown(terminal.type(poll.command)))
            assert job["derivatives"][0]["url"].startswith("http://127.0.0.1:8333/gallimg/full/")

            full = re.sub(r"http\S+", job["derivatives"][0]["url"], derivative.command)
            assert missing(derivative.shown, terminal.as_shown(terminal.type(full))) == []
            assert terminal.type(original.command) == original.shown


#: What SeaweedFS listens on; the page leaves it at its defaults.
SEAWEED_PORTS = [
    f"{part}.port{kind}" for part in ("admin", "filer", "master", "s3", "volume") for kind in ("", ".grpc")
]


#: What else it would listen on, at ports that cannot be chosen.
SEAWEED_EXTRAS = {"s3.port.iceberg": 0, "s3.port.lance": 0, "webdav": "false"}


def is_listening(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
