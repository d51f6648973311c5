"""Prints the part of CHANGELOG.md about a version: `release_notes.py v1.2.3`."""

import re
import sys
from pathlib import Path


def notes(changelog: str, version: str) -> str:
    """Raises LookupError: a release that nobody has described is not made."""
    parts = re.split(r"^## +", changelog, flags=re.MULTILINE)[1:]
    for part in parts:
        heading, _, text = part.partition("\n")
        if re.match(rf"\[?{re.escape(version.removeprefix('v'))}\]?(\s|$)", heading) and text.strip():
            return text.strip()
    raise LookupError(f"CHANGELOG.md says nothing about {version}")


if __name__ == "__main__":
    print(notes(Path("CHANGELOG.md").read_text(), sys.argv[1]))
