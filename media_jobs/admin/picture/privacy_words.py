"""The privacy receipt in plain words."""

from collections.abc import Iterable, Mapping
from typing import Any

#: What people ask about, by pieces of the names of metadata.
_ABOUT = {
    "where it was taken": ("GPS", "Location", "City", "Country", "Province", "Sublocation"),
    "serial numbers": ("Serial",),
    "the camera's own notes": ("MakerNote",),
    "when it was taken": ("DateTime", "DateCreated", "CreateDate", "SubSecTime", "OffsetTime"),
    "the camera and how it was set": ("Make", "Model", "Lens", "Exposure", "FNumber", "ISO", "FocalLength"),
    "a smaller picture within the file": ("Thumbnail", "thumbnail"),
    "whose picture it is": (
        "Artist",
        "Copyright",
        "creator",
        "rights",
        "Credit",
        "By-line",
        "UsageTerms",
        "WebStatement",
    ),
}


def sentences(receipt: Mapping[str, Any]) -> list[str]:
    """Say what the file told, and what of that stands in the web versions."""
    found, outputs = receipt["found"], receipt["outputs"]
    if not found:
        return ["The file told nothing besides its pixels."]
    carried = {name for names in outputs.values() for name in names}
    told, published = _about(found), _about(carried)
    gone = [what for what in told if what not in published]
    said = [f"The file told {_list(told)}." if told else "The file told nothing about people or places."]
    if gone:
        said.append(f"The web versions do not tell {_list(gone, 'or')}.")
    tell = _list(published) if published else "nothing besides their pixels"
    said.append(f"The web versions tell {tell}.")
    return said


def _about(names: Iterable[str]) -> list[str]:
    rows = list(names)
    return [what for what, pieces in _ABOUT.items() if any(piece in name for name in rows for piece in pieces)]


def _list(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
