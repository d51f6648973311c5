"""Checks what a decoder says of two pictures, in a process that does not trust it. Loads no image library."""

from math import isfinite
from typing import Any

from media_jobs.pipeline.compare.values import CompareRequest, Look, Measures

_MOST_NAME, _MOST_NAMES = 64, 256
_MOST_BYTES = 2**31 - 1
#: ΔE2000, SSIM, pixels moved: no honest number is larger.
_MOST = 10_000.0
_NUMBERS = ("ssim", "noise", "detail", "vividness", "delta_e", "part_delta_e")


def believed(measures: Measures, request: CompareRequest) -> Measures:
    """The measures. Raises ValueError unless they are about what was asked, and of the form of an honest answer."""
    asked = [(pair.name, pair.width_px, pair.legacy is None, pair.ours is None) for pair in request.pairs]
    told = [(pair.name, pair.wanted_px, pair.legacy is None, pair.ours is None) for pair in measures.pairs]
    _demand(asked == told, "other sizes than were asked for")
    _demand(all(_whole(side, 1, _MOST_BYTES) for side in (measures.width_px, measures.height_px)), "an impossible size")
    _demand(_whole(measures.orientation, 1, 8), "an impossible orientation")
    for pair in measures.pairs:
        _demand(_number(pair.delta_e), "an odd difference")
        for look in filter(None, (pair.legacy, pair.ours)):
            _check(look)
    return measures


def _check(look: Look) -> None:
    sides = (look.width_px, look.height_px)
    _demand(all(_whole(side, 0, _MOST_BYTES) for side in sides), "an impossible size")
    _demand(bool(look.refused) or max(sides) > 0, "a picture without pixels")
    _demand(_whole(look.size_bytes, 0, _MOST_BYTES), "an impossible length")
    _demand(_whole(look.orientation, 1, 8) and _whole(look.turned, 1, 8), "an impossible orientation")
    _demand(all(_number(getattr(look, name)) for name in _NUMBERS), "an odd measure")
    _demand(all(map(_number, look.moved_px)), "an odd measure")
    _demand(type(look.position) is bool, "an odd answer about the position")
    names = (look.format, look.refused, *look.carries)
    _demand(len(names) <= _MOST_NAMES and all(map(_text, names)), "odd names")


def _demand(fine: bool, otherwise: str) -> None:
    if not fine:
        raise ValueError(otherwise)


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value) and abs(value) <= _MOST


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_NAME and value.isprintable()
