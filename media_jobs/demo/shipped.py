"""The two sample photographs that are shipped; `media_jobs.demo.shrink` makes them from what `draw` draws."""

from pathlib import Path

FOLDER = Path(__file__).with_name("samples")


def photographs() -> list[Path]:
    """Return their paths, in the order of their names."""
    return sorted(FOLDER.glob("*.jpg"))
