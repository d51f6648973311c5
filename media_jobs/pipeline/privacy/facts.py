"""The metadata extracted from a picture, what of it may be written down, and the receipt that says so."""

from dataclasses import dataclass
from typing import Any

from media_jobs.pipeline.formats.common import mapped
from media_jobs.pipeline.found import Found
from media_jobs.pipeline.privacy.capture import Choice, capture
from media_jobs.pipeline.privacy.gather import gather
from media_jobs.pipeline.privacy.rights import rights
from media_jobs.pipeline.values import FACTS, Keep, Receipt, Rights

_ORIENTATION = "EXIF Orientation"


@dataclass(frozen=True, slots=True)
class Extracted:
    """The metadata of a picture: what it holds besides its pixels.

    names: of everything that was found, whether understood or not, in alphabetical order; never values.
    rights_from: names of what the rights were read from.
    """

    names: tuple[str, ...]
    facts: dict[str, Choice]
    rights: Rights
    rights_from: tuple[str, ...]


def extract(found: Found) -> Extracted:
    """The metadata of the file. What is damaged is left out: it never raises.

    It reads the heads of files, their pixels only where it must.
    """
    with mapped(found.original) as data:
        pieces = gather(data, found.format)
    whose = rights(pieces.exif, pieces.iptc, pieces.xmp)
    return Extracted(
        names=tuple(sorted(pieces.names)),
        facts=capture(pieces.exif, pieces.iptc, pieces.xmp),
        rights=Rights(**{field: choice.value for field, choice in whose.items()}),
        rights_from=tuple(name for choice in whose.values() for name in choice.sources),
    )


def metadata(extracted: Extracted, found: Found, keep: Keep) -> dict[str, Any]:
    """`orientation` and the facts of `values.FACTS`, JSON-ready; what is unknown or unwanted is absent."""
    return {
        "orientation": found.orientation,
        **{name: choice.value for name, choice in wanted(extracted, keep).items()},
    }


def wanted(extracted: Extracted, keep: Keep) -> dict[str, Choice]:
    """The facts that may be written down."""
    return {name: choice for name, choice in extracted.facts.items() if getattr(keep, FACTS[name].keep)}


def kept(extracted: Extracted, keep: Keep) -> set[str]:
    """Names of what is written down, or into the outputs."""
    facts = {name for choice in wanted(extracted, keep).values() for name in choice.sources}
    return facts.union(extracted.rights_from, {_ORIENTATION})


def receipt(extracted: Extracted, keep: Keep, outputs: dict[str, tuple[str, ...]]) -> Receipt:
    """The privacy receipt: names only, never values. `outputs`: what the scan of each finished file found."""
    names = kept(extracted, keep)
    return Receipt(
        found=extracted.names,
        kept=tuple(name for name in extracted.names if name in names),
        dropped=tuple(name for name in extracted.names if name not in names),
        outputs=outputs,
    )
