"""Checks what a decoder says of a picture and its outputs, in a process that does not trust it."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from media_jobs.pipeline.formats.sniff import RAW_FORMATS
from media_jobs.pipeline.recipes import LARGEST_SIDE_PX, Format, Rendition
from media_jobs.pipeline.values import FACTS, FactKind, Keep, Output, Placeholder, Receipt, Rendered, Request, Rights

_FORMATS = RAW_FORMATS | {"jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "bmp"}
#: How a file of each format begins, and where that stands.
_STARTS = {
    Format.JPEG: (0, b"\xff\xd8\xff"),
    Format.PNG: (0, b"\x89PNG\r\n\x1a\n"),
    Format.WEBP: (8, b"WEBP"),
    Format.AVIF: (4, b"ftypavif"),
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_URI = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/]{1,1000}={0,2}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_POSITION = frozenset({"latitude", "longitude", "altitude"})
_MOST_FACT, _MOST_RIGHT, _MOST_NAME, _MOST_NAMES = 100, 500, 64, 256
_MOST_NUMBER = 10_000_000
_MOST_WHOLE = 2**31 - 1  # as a column of the database
_JOINERS = dict.fromkeys((0x200C, 0x200D))
_CHUNK_BYTES = 1_048_576


def verify(rendered: Rendered, request: Request) -> None:
    """Raise ValueError unless the outputs are those that were asked for, and everything in the answer has the type,
    the length and the form that an honest answer has.

    Without this and `collect`, a decoder that was taken over could have any file published that its reader may open,
    and anything at all written into the database.
    """
    _demand(rendered.format in _FORMATS, "an unknown format")
    _demand(_sides(rendered.width_px, rendered.height_px, _MOST_WHOLE), "an impossible size")
    _demand(_whole(rendered.orientation, 1, 8), "an impossible orientation")
    _demand(_text(rendered.engine, _MOST_NAME), "an odd engine")
    _check_metadata(rendered.metadata, request.keep)
    _check_rights(rendered.rights)
    _check_outputs(rendered, request)
    _check_receipt(rendered.receipt, [rendition.name for rendition in request.preset.renditions])
    _check_placeholder(rendered.placeholder)


def _check_outputs(rendered: Rendered, request: Request) -> None:
    wanted = request.preset.renditions
    _demand(
        [output.name for output in rendered.outputs] == [rendition.name for rendition in wanted],
        "other renditions than were asked for",
    )
    for output, rendition in zip(rendered.outputs, wanted, strict=True):
        name = rendition.name
        _demand(output.format in _possible(rendition, rendered.format), f"{name} has another format than was asked for")
        digest = request.digest(rendition, rights=rendered.rights, engine=rendered.engine)
        _demand(
            (output.file, output.digest) == (rendition.file_name(output.format), digest),
            f"{name} is not what was asked for",
        )
        _demand(_sides(output.width_px, output.height_px, LARGEST_SIDE_PX), f"{name} has an impossible size")
        _demand(_matches(_SHA256, output.sha256), f"{name} has an odd checksum")
        _demand(_whole(output.size_bytes, 1, _MOST_WHOLE), f"{name} has an impossible length")


def collect(output: Output, source: Path, target: Path) -> None:
    """Copy an output, of an answer that was verified, from the decoder's folder `source` to one out of its reach.

    Raises ValueError and OSError unless the copy has the size and checksum of the answer: what the decoder does to
    its file meanwhile, or later, changes nothing.
    """
    # Neither through a link nor waiting for whoever holds the other end of a pipe.
    opened = os.open(source / output.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(opened, "rb") as file, (target / output.file).open("wb") as copy:
        found = os.fstat(opened)
        plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size == output.size_bytes
        _demand(plain, f"{output.name} is not a plain file of the stated size")
        at, start = _STARTS[output.format]
        _demand(file.peek(16)[at:].startswith(start), f"{output.name} does not begin like its format")
        checksum = hashlib.sha256()
        while chunk := file.read(_CHUNK_BYTES):
            checksum.update(chunk)
            copy.write(chunk)
    _demand(checksum.hexdigest() == output.sha256, f"{output.name} has another checksum than stated")


def _possible(rendition: Rendition, source: str) -> set[Format]:
    return {rendition.format.resolved(source=source, transparent=transparent) for transparent in (True, False)}


def _check_metadata(metadata: Any, keep: Keep) -> None:
    _demand(isinstance(metadata, dict), "metadata of another kind")
    for name, value in metadata.items():
        fact = FACTS.get(name)
        if name == "orientation":
            fine = _whole(value, 1, 8)
        else:
            fine = fact is not None and getattr(keep, fact.keep) and _is_of(fact.kind, value)
        _demand(fine, f"metadata that was not asked for: {name!r:.40}")


def _is_of(kind: FactKind, value: Any) -> bool:
    match kind:
        case FactKind.TEXT:
            return _text(value, _MOST_FACT)
        case FactKind.NUMBER:
            return _number(value)
        case FactKind.POSITION:
            return _position(value)


def _check_rights(rights: Rights) -> None:
    _demand(all(_text(field, _MOST_RIGHT) for field in astuple(rights)), "odd rights")
    for address in (rights.licence, rights.digital_source_type):
        _demand(not address or address.startswith(("https://", "http://")), "a licence or origin that is no address")


def _check_receipt(receipt: Receipt, renditions: list[str]) -> None:
    _demand(sorted(receipt.outputs) == sorted(renditions), "a receipt for other renditions")
    lists: Iterable[tuple[str, ...]] = (receipt.found, receipt.kept, receipt.dropped, *receipt.outputs.values())
    for names in lists:
        _demand(len(names) <= _MOST_NAMES and all(_text(name, _MOST_NAME) for name in names), "an odd receipt")


def _check_placeholder(placeholder: Placeholder) -> None:
    _demand(_matches(_URI, placeholder.uri) and _matches(_COLOUR, placeholder.colour), "an odd placeholder")


def _demand(fine: Any, otherwise: str) -> None:
    if not fine:
        raise ValueError(otherwise)


def _matches(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _text(value: Any, most_characters: int) -> bool:
    """One line of printable characters, and of the two zero-width ones that some scripts are spelt with."""
    return isinstance(value, str) and len(value) <= most_characters and value.translate(_JOINERS).isprintable()


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _MOST_NUMBER


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _sides(width_px: Any, height_px: Any, most: int) -> bool:
    return _whole(width_px, 1, most) and _whole(height_px, 1, most)


def _position(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= _POSITION and all(_number(number) for number in value.values())
