"""What things within pictures are called: in the words that people and exiftool use. Never a value."""

import re

from media_jobs.pipeline.privacy import tag_names

#: So many names say enough about one picture.
_MAX_NAMES = 200
_MAX_CHARACTERS = 60
_FOREIGN = re.compile(r"[^A-Za-z0-9 .:_()-]")


class Names:
    """Collects names, each once, in the order of their finding."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._more = False

    def add(self, name: str) -> None:
        if len(self._names) < _MAX_NAMES:
            self._names[_FOREIGN.sub("", name)[:_MAX_CHARACTERS]] = None
        elif name not in self._names:
            self._more = True

    def all(self) -> tuple[str, ...]:
        """At most 200, and one that says so when there were more."""
        return (*self._names, *(["more than 200 others"] if self._more else []))


def exif(tag: int, *, position: bool = False) -> str:
    """`position`: of the GPS directory, whose tags have numbers of their own."""
    return "EXIF " + ((tag_names.GPS if position else tag_names.EXIF).get(tag) or f"0x{tag:04X}")


def iptc(record: int, dataset: int) -> str:
    """Of IPTC-IIM."""
    return "IPTC " + ((tag_names.IPTC.get(dataset) if record == 2 else None) or f"{record}:{dataset}")


def xmp(namespace: str, local: str) -> str:
    """`dc:creator` and the like. Prefixes are the usual ones, not the file's own, which could say anything."""
    if namespace in tag_names.SETTINGS:
        return f"{tag_names.SETTINGS[namespace]} settings"
    return f"{tag_names.NAMESPACES.get(namespace, 'other')}:{local}"


def png_text(keyword: bytes) -> str:
    """Only registered keywords are told; others are anybody's words."""
    known = keyword.decode("latin-1")
    return f"PNG text {known}" if known in _KEYWORDS else "PNG text"


_KEYWORDS = frozenset(
    {"Title", "Author", "Description", "Copyright", "Creation Time", "Software", "Disclaimer", "Warning", "Source"}
    | {"Comment", "Collection"}
)
