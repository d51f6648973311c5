"""Files that are odd, and what is right for each: the picture, or a refusal that says why. All made on the spot."""

from dataclasses import dataclass

from PIL import Image

from tests.images import CORNERS

Corners = tuple[tuple[int, ...], ...]

ALL_RED: Corners = (CORNERS[0],) * 4
WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Odd:
    """A file and what is to come of it: `code` and words of the refusal, or size and corners on white."""

    data: bytes
    size_px: tuple[int, int] = (32, 16)
    corners: Corners = CORNERS
    code: str = ""
    words: str = ""

    def complaint(self, code: str, sentence: str, size_px: tuple[int, int], corners: Corners, *, tolerance: int) -> str:
        """What is wrong with what came of it; empty where nothing is."""
        if (code, self.words in sentence) != (self.code, True):
            return f"{code or 'done'}: {sentence}"
        if self.code:
            return ""
        if size_px != self.size_px:
            return f"{size_px} instead of {self.size_px}"
        pairs = zip(corners, self.corners, strict=True)
        near = all(abs(a - b) <= tolerance for found, wanted in pairs for a, b in zip(found, wanted, strict=True))
        return "" if near else f"{corners} instead of {self.corners}"


def refused(data: bytes, code: str, words: str = "") -> Odd:
    return Odd(data, code=code, words=words)


def middles(picture: Image.Image) -> Corners:
    """The middle of each quadrant, in RGB."""
    plain = picture.convert("RGB")
    points = [(plain.width * x // 4, plain.height * y // 4) for y in (1, 3) for x in (1, 3)]
    return tuple(tuple(plain.crop((x, y, x + 1, y + 1)).tobytes()) for x, y in points)
