"""How much noise the rounding of a JPEG's encoder leaves in a picture, from the tables in the file. Stdlib only."""

from pathlib import Path

from media_jobs.pipeline.formats import jpeg, jpeg_frame
from media_jobs.pipeline.formats.common import Bytes, mapped

_SIDE = 8
#: What other encoders that lose something leave at full size, as a JPEG of quality 80 does.
_ELSEWHERE = 6.0
_LOSSY = frozenset({"webp", "avif", "heic"})


def variance(path: Path, format: str, shrunk_by: float) -> float:
    """Mean square of what the encoder has added to each pixel's luminance, in grey levels.

    shrunk_by: how many times smaller the picture is looked at.

    It is what rounding adds where nothing is rounded to nothing: the most that an honest encoder does.
    """
    if format != "jpeg":
        return _ELSEWHERE / shrunk_by**2 if format in _LOSSY else 0.0
    with mapped(path) as data:
        steps = _luminance_steps(data)
    # Averaging keeps the coefficients of low frequency: those of one of the `shrunk_by` squared quarters.
    kept = max(1, round(_SIDE / shrunk_by))
    low = (step for at, step in enumerate(steps) if at % _SIDE < kept and at // _SIDE < kept)
    return sum(step * step for step in low) / 12 / _SIDE**2


def _luminance_steps(data: Bytes) -> list[int]:
    """The 64 steps of table 0, which holds luminance, row by row; none where there is no such table."""
    for segment in jpeg_frame.head(data):
        if segment.marker != jpeg.DQT:
            continue
        at = segment.start
        while at < segment.end:
            width = 2 if data[at] >> 4 else 1
            table = bytes(data[at + 1 : at + 1 + 64 * width])
            if data[at] & 15 == 0 and len(table) == 64 * width:
                steps = [int.from_bytes(table[i * width : (i + 1) * width], "big") for i in range(64)]
                return [steps[at] for at in _ZIGZAG]
            at += 1 + 64 * width
    return []


def _zigzag() -> list[int]:
    """For each coefficient, row by row, its place in the file: along diagonals, back and forth."""
    order = sorted(
        range(64),
        key=lambda at: (
            at // _SIDE + at % _SIDE,
            at // _SIDE if (at // _SIDE + at % _SIDE) % 2 else at % _SIDE,
        ),
    )
    return [order.index(at) for at in range(64)]


_ZIGZAG = _zigzag()
