"""What things within pictures are called: in the words that people and exiftool use. Never a value.

Whatever a file can spell itself, such as the name of a property, is used only where it is on a list of ours.
"""

from media_jobs.pipeline.privacy import tag_names
from media_jobs.pipeline.privacy.xmp import namespaces


def exif(tag: int, *, position: bool = False) -> str:
    """The name of a tag. `position`: it is in the GPS directory, whose tags have numbers of their own."""
    known = (tag_names.GPS if position else tag_names.EXIF).get(tag)
    return f"EXIF {known or 'other tags'}"


def iptc(record: int, dataset: int) -> str:
    """The name of a dataset of IPTC-IIM."""
    known = {1: "envelope", 2: tag_names.IPTC.get(dataset)}.get(record)
    return f"IPTC {known or 'other datasets'}"


def xmp(namespace: str, local: str) -> str:
    """`dc:creator`, `dc properties`, `other properties`. Prefixes are the usual ones, not the file's own."""
    prefix, listed = namespaces.known(namespace)
    return f"{prefix}:{local}" if local in listed else f"{prefix} properties"


def png_text(keyword: bytes) -> str:
    """The name of a text chunk, with its keyword if that is a registered one: others could say anything."""
    text = keyword.decode("latin-1")
    return f"PNG text {text}" if text in _KEYWORDS else "PNG text"


_KEYWORDS = frozenset(
    {"Title", "Author", "Description", "Copyright", "Creation Time", "Software", "Disclaimer", "Warning", "Source"}
    | {"Comment", "Collection"}
)
