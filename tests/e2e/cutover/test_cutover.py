"""A site is moved over: shadows, evidence, the ramp, a regression that takes all back."""

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.legacy import Legacy
from tests.e2e.accounts import api_key
from tests.e2e.cutover.photographs import is_upright, photographs
from tests.e2e.service import JOB_LIMIT_S, Service, running, wait_until
from tests.e2e.web_tier import WebTier, web_tier

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # a minute or two, and on a busy machine many
    pytest.mark.skipif(not shutil.which("npm"), reason="needs Node 20.9 or newer with npm: apt-get install npm"),
]

FLAG = "image-service"
REFUSED = 3
#: Of 1,000: so few pictures are enough to say that it is not above that.
LIMIT = 200
ENOUGH = 14
#: Workers look every 20 seconds.
FALL_LIMIT_S = 120.0
PATIENT: dict[str, Any] = {"timeoutMs": 60_000, "uploadMs": 60_000, "waitMs": 60_000}
VISITORS = [f"visitor-{number}" for number in range(60)]


class Site:
    """The live site: its own code, its folder of pictures, and its Node tier with the module."""

    def __init__(self, folder: Path, legacy: Legacy, tier: WebTier) -> None:
        self.folder, self.tier, self._legacy = folder, tier, legacy
        self.taken = 0

    def take(self, uploads: int, **fields: str) -> list[str]:
        """Make the pictures of so many uploads as ever, and have shadows made of them. The keys of the originals."""
        numbers = range(self.taken, self.taken + uploads)
        self.taken += uploads
        return [
            self._take(number, photo, fields)
            for number, photo in zip(numbers, photographs(self.folder, numbers), strict=True)
        ]

    def _take(self, number: int, photo: Path, fields: dict[str, str]) -> str:
        key = f"gall/rosa/rosa_{number}_original.jpg"
        self._legacy.write(photo, self.folder, key, as_stored=is_upright(number))
        # By its key every other time, and as it came.
        source = {} if number % 2 and not fields else {"path": str(photo), "fields": fields}
        self.tier.ask("shadow", legacyKey=key, **source)
        self.tier.ask("idle")
        return key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (made := tmp_path / "site").mkdir()
    return made


@pytest.fixture
def service(tmp_path: Path, folder: Path) -> Iterator[Service]:
    with running(tmp_path / "data", {"LEGACY_FOLDER": str(folder), "SHADOW_ERRORS_PER_1000": str(LIMIT)}) as started:
        yield started


@pytest.fixture
def web(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=service.url, headers={"X-API-Key": api_key(service, "upload", "read", "shadow")}, timeout=60
    ) as client:
        yield client


def verdicts(web: httpx.Client, keys: list[str]) -> list[tuple[str, str]]:
    """Verdict and reason of each, once it is compared."""
    shadows: list[dict[str, Any]] = []

    def is_compared(key: str) -> bool:
        shadow = web.post("/v1/shadow", json={"key": key}).raise_for_status().json()
        if shadow["status"] == "processing":
            return False
        shadows.append(shadow)
        return True

    for key in keys:
        wait_until(lambda key=key: is_compared(key), JOB_LIMIT_S, f"the shadow of {key}")  # type: ignore[misc]
    return [(shadow["verdict"], shadow["reason"]) for shadow in shadows]


def raised(service: Service, percent: int, *options: str) -> tuple[int, str]:
    """Exit code and text of the attempt."""
    done = service.command("flag", "set", FLAG, "--on", "--percent", str(percent), *options)
    return done.returncode, done.stdout + done.stderr


def visitors_on(web: httpx.Client) -> set[str]:
    answers = {name: web.get(f"/v1/flags/{FLAG}", params={"key": name}).json() for name in VISITORS}
    return {name for name, answer in answers.items() if answer["enabled"]}


def test_a_site_is_moved_over_by_evidence_and_a_regression_moves_it_back(
    service: Service, folder: Path, web: httpx.Client, tmp_path: Path
) -> None:
    key = web.headers["X-API-Key"]
    [photo] = photographs(tmp_path, range(1000, 1001))
    with Legacy() as legacy, web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as tier:
        site = Site(folder, legacy, tier)

        found = verdicts(web, site.take(4))
        code, said = raised(service, 1)
        assert (code, visitors_on(web)) == (REFUSED, set()), said

        found += verdicts(web, site.take(ENOUGH - site.taken))
        assert {verdict for verdict, _ in found} <= {"same", "better"}, found
        assert json.loads(service.manage("shadow_diff", "--json"))["waiting"] == 0

        on = []
        for percent in (1, 5, 25, 50, 100):
            code, said = raised(service, percent)
            assert code == 0, said
            on.append(visitors_on(web))
        assert all(before <= after for before, after in pairwise(on))
        assert 0 < len(on[3]) < len(on[4]) == len(VISITORS)
        made = tier.upload(photo, key=VISITORS[0], fields={"preset": "gallformers-legacy"})
        assert (made["by"], made["job"]["status"], len(made["job"]["derivatives"])) == ("service", "done", 4)

        turned = verdicts(web, site.take(4, rotation="90"))  # a release of the site that turns what it sends
        assert turned == [("worse", "turned")] * 4
        wait_until(lambda: not visitors_on(web), FALL_LIMIT_S, "the flag to fall back")
        assert '"event": "flag_fell_back"' in service.logs
        wait_until(lambda: not tier.ask("isOn", key=VISITORS[0]), FALL_LIMIT_S, "the site to hear of it")
        assert tier.upload(photo, key=VISITORS[0]) == {"by": "site", "result": {"bytes": photo.stat().st_size}}
        code, said = raised(service, 1)
        assert code == REFUSED, said
        code, said = raised(service, 1, "--force", "--reason", "the release was taken back")
        assert code == 0, said
        assert "the release was taken back" in service.manage("flag", "show", FLAG)
        assert tier.ask("seen")["errors"] == []
