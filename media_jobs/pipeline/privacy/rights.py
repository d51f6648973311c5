"""Whose picture it is: one answer from three languages. XMP goes before IPTC before EXIF.

That is the order of the Metadata Working Group's guidelines, 2.0, chapter 5, for files without a digest to compare.
"""

import re
from urllib.parse import urlsplit

from media_jobs.pipeline.privacy import exif, iptc
from media_jobs.pipeline.privacy.capture import Choice, choose, clean
from media_jobs.pipeline.privacy.exif import Exif
from media_jobs.pipeline.privacy.iptc import Iptc
from media_jobs.pipeline.privacy.xmp import Xmp

_MAX_CHARACTERS = 500
#: What cameras and programs write where no name was entered: words in lower case.
_PLACEHOLDERS = frozenset(
    {"", "picasa", "unknown", "none", "n a", "artist", "author", "creator", "photographer", "camera", "copyright"}
    | {"owner", "user", "default", "c", "copyright c", "unknown artist", "unknown author", "unknown photographer"}
    | {"artist name", "your name", "owner name", "by owner name", "c by owner name", "copyright by owner name"}
    | {"olympus digital camera", "samsung", "digital camera"}
)
_WORD = re.compile(r"[^\W_]+")


def rights(in_exif: Exif, in_iptc: Iptc, in_xmp: Xmp) -> dict[str, Choice]:
    """`creator`, `credit`, `copyright`, `licence`; what is unknown is absent. Several creators are `A; B`."""
    found = {
        "creator": choose(
            (_listed(in_xmp.texts("dc:creator")), "XMP dc:creator"),
            (_listed(in_iptc.texts(iptc.BY_LINE)), "IPTC By-line"),
            (_listed([in_exif.text(exif.MAIN, exif.ARTIST)]), "EXIF Artist"),
        ),
        "credit": choose(
            (_text(in_xmp.text("photoshop:Credit")), "XMP photoshop:Credit"),
            (_text(in_iptc.text(iptc.CREDIT)), "IPTC Credit"),
        ),
        "copyright": choose(
            (_text(in_xmp.text("dc:rights")), "XMP dc:rights"),
            (_text(in_iptc.text(iptc.COPYRIGHT)), "IPTC CopyrightNotice"),
            (_copyright(in_exif), "EXIF Copyright"),
        ),
        "licence": choose(
            *((url(in_xmp.text(name)), f"XMP {name}") for name in _LICENCES),
        ),
    }
    return {field: choice for field, choice in found.items() if choice}


_LICENCES = ("xmpRights:WebStatement", "cc:license", "xmpRights:UsageTerms")


def url(text: str) -> str:
    """The text if it is a web address without a password in it, else nothing: half an address leads elsewhere."""
    text = text.strip()
    if len(text) > _MAX_CHARACTERS or not text.isprintable() or any(c in text for c in ' <>"\\'):
        return ""
    try:
        parts = urlsplit(text)
        plain = parts.username is None and parts.password is None
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname and plain else ""


def _listed(texts: list[str]) -> str:
    """Creators, however their file lists them."""
    each = (_text(part) for text in texts for part in text.split(";"))
    return _text("; ".join(filter(None, each)))


def _text(text: str) -> str:
    """The text in one line; nothing where it names no one."""
    text = clean(text, _MAX_CHARACTERS)
    return "" if " ".join(_WORD.findall(text.lower())) in _PLACEHOLDERS else text


def _copyright(in_exif: Exif) -> str:
    """Both holders: the photographer and the editor stand behind each other, each with an end mark."""
    holders = in_exif.raw(exif.MAIN, exif.COPYRIGHT).split(b"\0")[:2]
    return _text("; ".join(filter(None, (_text(exif.decoded(holder)) for holder in holders))))
