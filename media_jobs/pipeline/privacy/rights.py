"""Whose picture it is, and how it was made: one answer from three languages. XMP goes before IPTC before EXIF.

That is the order of the Metadata Working Group's guidelines, 2.0, chapter 5. Where IPTC was edited after XMP was
written, which its digest tells, it goes first.
"""

import re
from urllib.parse import urlsplit

from media_jobs.pipeline.privacy import exif, iptc
from media_jobs.pipeline.privacy.capture import Choice, choose, clean
from media_jobs.pipeline.privacy.exif import Exif
from media_jobs.pipeline.privacy.iptc import Iptc
from media_jobs.pipeline.privacy.xmp.packet import Xmp

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
    """The fields of `values.Rights`; what is unknown is absent. Several creators are `A; B`."""
    found = {
        "creator": choose(
            *_by_age(in_iptc, iptc.BY_LINE, (_listed(in_xmp.texts("dc:creator")), "XMP dc:creator"), "By-line"),
            (_listed([in_exif.text(exif.MAIN, exif.ARTIST)]), "EXIF Artist"),
            (_listed([in_exif.wide_text(exif.MAIN, exif.XP_AUTHOR)]), "EXIF XPAuthor"),
        ),
        "credit": choose(
            *_by_age(in_iptc, iptc.CREDIT, (_text(in_xmp.text("photoshop:Credit")), "XMP photoshop:Credit"), "Credit"),
        ),
        "copyright": choose(
            *_by_age(in_iptc, iptc.COPYRIGHT, (_text(in_xmp.text("dc:rights")), "XMP dc:rights"), "CopyrightNotice"),
            (_copyright(in_exif), "EXIF Copyright"),
        ),
        "licence": choose(
            *((url(in_xmp.text(name)), f"XMP {name}") for name in _LICENCES),
        ),
        "digital_source_type": choose((source_type(in_xmp.text(_SOURCE_TYPE)), f"XMP {_SOURCE_TYPE}")),
    }
    return {field: choice for field, choice in found.items() if choice}


def _by_age(in_iptc: Iptc, dataset: int, from_xmp: tuple[str, str], name: str) -> tuple[tuple[str, str], ...]:
    """What XMP and IPTC say, the newer one first."""
    listed = _listed if dataset == iptc.BY_LINE else _first
    texts = in_iptc.texts(dataset)
    from_iptc = listed(texts), f"IPTC {name}"
    cut_short = len(in_iptc.raw(dataset)) == iptc.LIMITS_BYTES[dataset] and from_xmp[0].startswith(from_iptc[0])
    return (from_iptc, from_xmp) if in_iptc.edited_later and not cut_short else (from_xmp, from_iptc)


def _first(texts: list[str]) -> str:
    return _text(next(iter(texts), ""))


_SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: The terms of IPTC's vocabulary, retired ones too, by their letters in lower case.
_TERMS = (
    "digitalCapture computationalCapture negativeFilm positiveFilm print minorHumanEdits humanEdits"
    " compositeWithTrainedAlgorithmicMedia algorithmicallyEnhanced softwareImage digitalArt digitalCreation"
    " dataDrivenMedia trainedAlgorithmicMedia algorithmicMedia screenCapture virtualRecording composite"
    " compositeCapture compositeSynthetic multiFrameComputationalCapture"
)
_KNOWN_SOURCE_TYPES = {term.lower(): term for term in _TERMS.split()} | {
    "createdusinggenerativeai": "trainedAlgorithmicMedia",  # by IPTC's names of these terms, in letters
    "editedusinggenerativeai": "compositeWithTrainedAlgorithmicMedia",
}
_SOURCE_TYPE_ADDRESS = re.compile(
    r"(?:(https?)://)?cv\.iptc\.org/newscodes/digitalsourcetype/([a-z]+)\b", re.IGNORECASE
)


def source_type(text: str) -> str:
    """The digital source type as an address: that which is written, or the one of IPTC's term. Else nothing.

    Of an address in IPTC's vocabulary counts what leads to its term, whatever is hung on behind.
    """
    found = _SOURCE_TYPE_ADDRESS.match(text.strip())
    if found and (known := _KNOWN_SOURCE_TYPES.get(found[2].lower())):
        return f"{(found[1] or 'http').lower()}://{_SOURCE_TYPES.partition('://')[2]}{known}"
    term = "".join(c for c in text.rpartition(":")[2] if c.isalpha()).lower()
    return url(text) or (_SOURCE_TYPES + _KNOWN_SOURCE_TYPES[term] if term in _KNOWN_SOURCE_TYPES else "")


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
