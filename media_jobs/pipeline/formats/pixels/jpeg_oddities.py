"""What libjpeg warns of in the headers of a JPEG although every pixel is there. Stdlib only."""

from contextlib import suppress

from media_jobs.pipeline.formats import jpeg
from media_jobs.pipeline.formats.common import Bytes, Damaged

_SEQUENTIAL, _PROGRESSIVE = frozenset({0xC0, 0xC1, 0xC9}), frozenset({0xC2, 0xCA})
_WHOLE_SPECTRUM = b"\0\x3f\0"
_COEFFICIENTS = 64
#: By number of components, the values of Adobe's colour transform that are known.
_TRANSFORMS = {3: (0, 1), 4: (0, 2)}


def count(data: Bytes) -> int:
    """How many such warnings a decoder gives of the picture: of JFIF's revision, of Adobe's colour transform, of scans
    that select other coefficients than they ought to, and of other bytes between segments before the first scan.
    """
    found = _Found()
    end = 0
    with suppress(Damaged):
        for segment in jpeg.segments(data, over_stray=True):
            if not found.is_begun:
                found.warnings += bytes(data[end : segment.at]).strip(b"\xff") != b""
            found.add(segment.marker, bytes(data[segment.start : segment.end]))
            end = segment.end
    return found.warnings


class _Found:
    def __init__(self) -> None:
        self.warnings = 0
        self._transform: int | None = None
        self._components = 0
        self.is_begun = self._is_jfif = self._is_progressive = False
        self._precision: dict[int, list[int | None]] = {}  # by component: of each coefficient, as far as it is known

    def add(self, marker: int, content: bytes) -> None:
        if marker == jpeg.APP0 and content.startswith(b"JFIF\0") and len(content) >= 14:
            self._is_jfif = True
            self.warnings += content[5] != 1
        elif marker == jpeg.APP14 and content.startswith(b"Adobe") and len(content) >= 12:
            self._transform = content[11]
        elif marker in _SEQUENTIAL | _PROGRESSIVE and len(content) > 5:
            self._components, self._is_progressive = content[5], marker in _PROGRESSIVE
        elif marker == jpeg.SOS and content and len(content) == 4 + 2 * content[0]:
            self.warnings += self._is_odd_transform() and not self.is_begun
            self.is_begun = True
            self.warnings += self._odd_bands(content) if self._is_progressive else content[-3:] != _WHOLE_SPECTRUM

    def _is_odd_transform(self) -> bool:
        known = _TRANSFORMS.get(self._components)
        if self._transform is None or known is None or (self._components == 3 and self._is_jfif):
            return False
        return self._transform not in known

    def _odd_bands(self, scan: bytes) -> int:
        """Coefficients that the scan refines without need, or before they are there."""
        first, last, successive = scan[-3:]
        odd = 0
        for component in scan[1 : 1 + 2 * scan[0] : 2]:
            known = self._precision.setdefault(component, [None] * _COEFFICIENTS)
            odd += first > 0 and known[0] is None
            for at in range(first, min(last, _COEFFICIENTS - 1) + 1):
                odd += (known[at] or 0) != successive >> 4
                known[at] = successive & 15
        return odd
