"""Pictures of a live site beside a service that runs: written as a site does, some of them with faults of its own."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pyvips

from tests.e2e.service import Service, wait_until

WIDTHS = {"small": 300, "medium": 800, "large": 1200, "xlarge": 2000}
_LIMIT_S = 180


def fill(service: Service, pictures: dict[str, bytes], spoilt: tuple[str, ...] = ()) -> None:
    """Send the pictures as shadows, write what the site has of them, and wait until the workers have compared all.

    spoilt: names of those whose sizes the site has of another picture: ours are nothing like them.
    """
    for name, original in pictures.items():
        _write_as_the_site(service, name, original, spoil=name in spoilt)
        answer = httpx.post(
            f"{service.url}/v1/images",
            files={"file": (f"{name}.jpg", original)},
            data={"shadow": "true", "legacyKey": key(name)},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
    wait_until(lambda: not service.manage("shell", "--no-imports", "-c", _LEFT).strip(), _LIMIT_S, "the comparisons")


def key(name: str) -> str:
    return f"gall/{name}/{name}_1732900000_original.jpg"


_LEFT = """
from media_jobs.models import Shadow
print("\\n".join(Shadow.objects.exclude(state__in=("compared", "failed")).values_list("state", flat=True)))
"""


def _write_as_the_site(service: Service, name: str, original: bytes, *, spoil: bool) -> None:
    image = pyvips.Image.new_from_buffer(original, "").autorot()
    change: Callable[[pyvips.Image], pyvips.Image] = (lambda one: one.invert()) if spoil else (lambda one: one)
    folder = Path(service.data) / "objects" / f"gall/{name}"
    folder.mkdir(parents=True, exist_ok=True)
    for size, width_px in WIDTHS.items():
        scaled = change(image.resize(width_px / image.width))
        path = folder / f"{name}_1732900000_{size}.jpg"
        path.write_bytes(scaled.jpegsave_buffer(Q=100, subsample_mode="off", keep="none"))
