"""The image, built and run: as an ordinary user, without a writable file, within 256 MB. docs/operating.md has it."""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from gallimg_client import Client

from tests import images
from tests.browser.pages import PAGES
from tests.deploy import docker
from tests.deploy.docker import Contained
from tests.e2e.client import JOB_LIMIT_S
from tests.e2e.service import ROOT, START_LIMIT_S, photo, wait_until
from tests.e2e.stores import s3_settings
from tests.formats import heif, raw_notes, raws
from tests.servers import Server, free_ports, postgres, valkey_binary
from tests.servers.seaweed import SeaweedFS, seaweedfs

pytestmark = [
    pytest.mark.container,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not shutil.which("docker"), reason="no docker: apt install docker.io debootstrap"),
]

MOST_BYTES = 80_000_000
SAMPLE = ROOT / "media_jobs/demo/samples/bedeguar-gall.jpg"
LARGE, SMALL = images.jpeg(1200, 900), images.jpeg(160, 120)
PICTURES = {
    "a photo.jpg": photo(4000, 3000),
    "tiles.heic": heif.grid(heif.HEVC),
    "tiles.avif": heif.grid(heif.AV1),
    "ours.avif": images.avif(),
    "raw by our tables.nef": raws.nef(LARGE),
    "raw by LibRaw.dng": raw_notes.dng_with_unmarked_note(SMALL, hidden=LARGE),
    "by Pillow.bmp": images.bmp(),
    "picture.png": images.png(),
    "picture.webp": images.webp(),
    "picture.tiff": images.tiff(),
    "picture.gif": images.gif(),
}


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    with docker.daemon():
        yield docker.image()


@pytest.fixture(scope="module")
def seaweed() -> Iterator[SeaweedFS]:
    with seaweedfs() as running:
        yield running


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey that a container reaches, on a port."""
    folder, port = tmp_path_factory.mktemp("valkey"), str(free_ports(1)[0])
    server = Server("Valkey", [str(valkey_binary()), "--port", port, "--bind", "127.0.0.1", "--save", ""], folder)
    yield f"redis://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="module")
def service(
    image: str, seaweed: SeaweedFS, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Contained]:
    """As fly.toml has it: PostgreSQL, Redis and S3 elsewhere, all else in one container; its caller has a key."""
    with postgres() as database:
        own = {
            "DATABASE_URL": database.url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": secrets.token_hex(32),
            "WORKERS": "1",
        }
        contained = Contained(tmp_path_factory.mktemp("container") / "data", image, {**own, **s3_settings(seaweed)})
        try:
            contained.start()
            key = re.search(r"gallimg_[\w-]+", contained.manage("apikey", "create", "smoke"))
            assert key
            contained.headers = {"Authorization": f"Bearer {key[0]}"}
            yield contained
        finally:
            contained.kill()


def test_it_is_small_enough(image: str) -> None:
    layers = docker.compressed_bytes(image)
    print(f"\nthe image: {sum(layers.values()) / 1e6:.1f} MB compressed")
    assert sum(layers.values()) <= MOST_BYTES, layers


def test_pictures_of_every_kind_go_through(service: Contained) -> None:
    jobs = {}
    for name, content in PICTURES.items():
        for preset in ("gallformers", "ingest"):
            answer = httpx.post(
                f"{service.url}/v1/images",
                files={"file": (name, content)},
                data={"preset": preset},
                headers=service.headers,
                timeout=60,
            )
            assert answer.status_code == 202, answer.text
            jobs[name, preset] = answer.json()["jobId"]
    ended = {what: service.finished(job) for what, job in jobs.items()}
    assert {what: job.get("error") for what, job in ended.items() if job["status"] != "done"} == {}
    for job in ended.values():
        assert httpx.get(job["derivatives"][0]["url"], timeout=60).headers["Content-Type"].startswith("image/")


def test_nothing_but_the_image_is_needed_and_nothing_in_it_is_written(service: Contained) -> None:
    assert service.execute("id", "-u") == str(docker.USER)
    assert service.execute("sh", "-c", "touch /app/x /venv/x /x 2>&1 | grep -c Read-only") == "3"
    assert service.execute("sh", "-c", "touch /tmp/x /data/x && rm /tmp/x /data/x && echo written") == "written"
    for program in ("apt-get", "dpkg", "pip", "perl", "gcc"):
        assert service.execute("sh", "-c", f"command -v {program} || echo none") == "none"


def test_orphans_are_reaped(service: Contained) -> None:
    service.execute("sh", "-c", "(sleep 0.2 &)")
    wait_until(lambda: " Z " not in service.execute("ps", "-o", "pid,stat,comm"), 30, "no zombie")


def test_the_platform_sees_that_it_is_healthy(service: Contained) -> None:
    def health() -> str:
        return docker.docker("inspect", "--format={{.State.Health.Status}}", service.name)

    wait_until(lambda: health() == "healthy", 60, "the health check")


class Assets(HTMLParser):
    """Addresses of what a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        loaded = values.get("href") if tag == "link" else values.get("src")
        if loaded and loaded.startswith("/static/"):
            self.found.add(loaded)


def assert_assets_are_served(client: httpx.Client, pages: dict[str, str]) -> None:
    """Also those that style sheets name."""
    assets = {urljoin(path, asset) for path, page in pages.items() for asset in Assets(page).found}
    assert assets
    for path in sorted(asset for asset in assets if asset.endswith(".css")):
        text = client.get(path).text
        assets |= {
            urljoin(path, name) for name in re.findall(r'url\("?([^")]+)"?\)', text) if not name.startswith("data:")
        }
    assert {path: status for path in sorted(assets) if (status := client.get(path).status_code) != 200} == {}


def test_every_page_of_the_admin_is_there_with_all_that_it_loads(service: Contained) -> None:
    service.manage(
        *("createsuperuser", "--noinput", "--username=admin", "--email=a@example.org"),
        DJANGO_SUPERUSER_PASSWORD="a long enough password",
    )
    with httpx.Client(base_url=service.url, follow_redirects=True, timeout=60) as client:
        form = client.get("/admin/login/?next=/admin/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token
        entered = {"username": "admin", "password": "a long enough password", "csrfmiddlewaretoken": token[1]}
        client.post("/admin/login/?next=/admin/", data=entered)
        answers = {path: client.get(path) for path in PAGES.values()}
        assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 200} == {}
        assert "/login/" not in str(answers["/admin/"].url)
        assert_assets_are_served(client, {path: answer.text for path, answer in answers.items()})


def test_the_documentation_is_there_with_all_that_it_loads(service: Contained) -> None:
    with httpx.Client(base_url=service.url, timeout=60) as client:
        assert_assets_are_served(client, {"/docs": client.get("/docs").text})
        assert client.get("/openapi.json").json()["paths"]
        assert client.get("/docs/problems").status_code == 200


def _has_said(service: Contained, words: str) -> bool:
    return words in service.output + service.logs


def test_the_other_entry_points(service: Contained, image: str) -> None:
    """As one calls them in a container that runs, and as a container of their own."""
    found = json.loads(service.run("/app/reprocess", "-prefix", "originals/", "-dry-run", "-json"))
    assert found["images"] == 0  # nothing is stale
    service.manage("housekeeping")
    service.manage("migrate", "--check")
    alone = {"DATABASE_URL": "", "REDIS_URL": "", "S3_BUCKET": "", "SECRET_KEY": ""}  # with a Valkey of its own
    for command, says in {"web": "gallimg ready", "worker": "sandbox_ready", "serve": "gallimg ready"}.items():
        env = {**service.env, "PORT": str(free_ports(1)[0]), **(alone if command == "serve" else {})}
        other = Contained(service.data.with_name(command), image, env, command=command)
        try:
            other.launch()
            wait_until(partial(_has_said, other, says), START_LIMIT_S, f"{says} of {command}")
        finally:
            other.kill()


def test_the_smallest_machine_stays_up_whatever_was_asked_of_it(service: Contained) -> None:
    """Without swap the kernel may have ended the web process once, after all these pages: then it is back."""
    assert docker.docker("inspect", "--format={{.HostConfig.Memory}}", service.name) == str(docker.MEMORY_BYTES)
    with Client(service.url, service.headers["Authorization"].split()[1]) as gallimg:
        assert gallimg.process(SAMPLE.read_bytes(), timeout_s=JOB_LIMIT_S)["status"] == "done"
    counted = "cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null | grep -w oom_kill"
    print(f"\nended by the kernel for its memory: {service.execute('sh', '-c', counted)}")
    assert "decoder_died" not in service.logs
    assert docker.docker("inspect", "--format={{.State.Running}}", service.name) == "true"


def test_it_ends_well_when_it_is_told_to(service: Contained) -> None:
    docker.docker("stop", "--time=35", service.name)
    assert service.wait() == 0, service.logs[-2000:]
