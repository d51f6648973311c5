"""What the README and docs/clients.md show of programs is run as it stands there, with this run's address and key."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import images
from tests.e2e.documentation.terminal import Terminal, blocks, media, section
from tests.e2e.service import ROOT, Service

pytestmark = pytest.mark.e2e

SAMPLE = "media_jobs/demo/samples/oak-apple-galls.jpg"
PICTURE_IN_A_FORM = f"""
import {{ readFile }} from "node:fs/promises";
const form = new FormData();
form.append("file", new Blob([await readFile("{SAMPLE}")]), "gall.jpg");
"""
#: The stream is open once it has said anything; what is uploaded then, it tells of.
FOLLOW_AN_UPLOAD = """
await follow((event) => { console.log(event.status); if (event.status !== "processing") process.exit(); });
await new Promise((begun) => { const look = setInterval(() => { if (last) { clearInterval(look); begun(); } }, 20); });
await fetch(`${url}/v1/images`, { method: "POST", headers, body: form });
"""
EVENT_SOURCE = Path(__file__).with_name("eventsource.mjs")
PAGES: dict[str, Callable[[], str]] = {
    "README.md": lambda: section("README.md", "From a program"),
    "docs/clients.md": (ROOT / "docs/clients.md").read_text,
}
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="needs Node 18 or newer: apt-get install nodejs")
each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def terminal(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """In which the first key that the README has one make is the one that is used."""
    environment = {**service.env, "PYTHONPATH": str(ROOT / "clients/python")}
    made = Terminal(tmp_path_factory.mktemp("snippets"), {"http://127.0.0.1:8080": service.url}, env=environment)
    key = made.type(blocks(PAGES["README.md"](), "bash")[0]).strip()
    assert key.startswith("gallimg_")
    made.real["gallimg_…"] = key
    return made


def pictures(service: Service, printed: str) -> int:
    """How many derivatives are named."""
    return printed.count(f"{media(service)}/")


@each_page
def test_python(terminal: Terminal, service: Service, page: str) -> None:
    first, *others = blocks(PAGES[page](), "python")
    printed = terminal.run([sys.executable, "-"], first)
    size = (ROOT / SAMPLE).stat().st_size
    assert f"{size} {size}\n" in printed
    assert pictures(service, printed.splitlines()[-1]) == 4
    for block in others:
        assert terminal.run([sys.executable, "-"], block).startswith("415 unsupported_format ")


@each_page
@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl")
def test_curl(terminal: Terminal, service: Service, page: str) -> None:
    *_, block = blocks(PAGES[page](), "bash")
    printed = terminal.type(block)
    assert json.loads(printed)["status"] == "done"
    assert pictures(service, printed) == 4


def node(terminal: Terminal, program: str) -> str:
    """What the program prints, with an EventSource as browsers have it."""
    return terminal.run(["node", "--import", EVENT_SOURCE.as_uri(), "--input-type=module", "-"], program)


@each_page
@pytest.mark.slow
@needs_node
def test_javascript(terminal: Terminal, service: Service, page: str) -> None:
    [block] = blocks(PAGES[page](), "js")
    printed = node(terminal, PICTURE_IN_A_FORM + block)
    assert printed.startswith("done [")
    assert pictures(service, printed) == 4


@pytest.mark.slow
@needs_node
def test_following_all_jobs(terminal: Terminal) -> None:
    [block] = blocks(section("docs/api.md", "Knowing when it is ready"), "js")
    assert node(terminal, PICTURE_IN_A_FORM + block + FOLLOW_AN_UPLOAD).split()[-1] == "done"


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl")
def test_asking_and_waiting(terminal: Terminal, service: Service) -> None:
    [block] = blocks(section("docs/api.md", "Knowing when it is ready"), "bash")
    # Whoever sends nothing owns the job; the page has no key in its command.
    assert json.loads(terminal.type(f"JOB={service.send(images.jpeg())}\n{block}"))["status"] == "done"
