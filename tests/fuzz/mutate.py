"""How healthy pictures are damaged. A recipe identifies an input and makes it again."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.fuzz.payload import payloads
from tests.fuzz.seeds import seeds
from tests.fuzz.structure import Part, parts, png_chunks

#: Most files are damaged a little: what is wrong twice is refused at the first look.
_HOW_MANY_STEPS = (1, 1, 1, 1, 2, 2, 3, 5)
_MOST_BYTES = 100_000
_NOISE_SHARE = 0.03

#: First bytes of all that is accepted; noise after them reaches the decoders.
MAGIC = {
    "none": b"",
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "webp": b"RIFF\xff\0\0\0WEBPVP8 ",
    "tiff": b"II*\0\x08\0\0\0",
    "tiffbe": b"MM\0*\0\0\0\x08",
    "bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0mif1avif",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "cr2": b"II*\0\x10\0\0\0CR\x02\0",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    "raf": b"FUJIFILMCCD-RAW 0201FF383501X-T1",
    "orf": b"IIRO\x08\0\0\0",
    "rw2": b"IIU\0\x18\0\0\0",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A seed, or `noise-` and a key of MAGIC, and what is done to it: names of MUTATORS, each with its dice.

    number: decides how it is to be rendered.
    """

    number: int
    start: str
    steps: tuple[tuple[str, int], ...] = ()

    @property
    def format(self) -> str:
        return self.start.removeprefix("noise-").split("-")[0]

    def __str__(self) -> str:
        return " ".join([str(self.number), self.start, *(f"{name}:{dice}" for name, dice in self.steps)])

    def make(self) -> bytes:
        data = seeds().get(self.start) or MAGIC[self.start.removeprefix("noise-")]
        for name, dice in self.steps:
            data = MUTATORS[name](data or b"\0", Random(dice))[:_MOST_BYTES]
        return data


def recipe(seed: int, number: int, only: str = "", among: frozenset[str] = frozenset()) -> Recipe:
    """The input of that number; the same for ever. only: of MUTATORS, what is done to it. among: of formats."""
    dice = Random(f"{seed}-{number}")
    if dice.random() < _NOISE_SHARE and not only and not among:
        return Recipe(number, "noise-" + dice.choice(list(MAGIC)), (("noise", dice.getrandbits(32)),))
    # Formats in turn, not seeds: some formats have more seeds than others.
    by_format: dict[str, list[str]] = {}
    for name in seeds():
        if among and name.split("-")[0] not in among:
            continue
        by_format.setdefault(name.split("-")[0], []).append(name)
    formats = list(by_format)
    start = dice.choice(by_format[formats[number % len(formats)]])
    steps = (only or dice.choice(list(MUTATORS)) for _ in range(dice.choice(_HOW_MANY_STEPS)))
    return Recipe(number, start, tuple((name, dice.getrandbits(32)) for name in steps))


# --- blind ----------------------------------------------------------------------------------------


def _flip_bits(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8, 32)) if data else 0):
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _set_header_bytes(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4) if data else 0):
        changed[dice.randrange(min(len(data), 200))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    return bytes(changed)


def _cut_end(data: bytes, dice: Random) -> bytes:
    return data[: dice.randint(0, len(data))]


def _cut_out(data: bytes, dice: Random) -> bytes:
    start, end = _slice(data, dice)
    return data[:start] + data[end:]


def _repeat(data: bytes, dice: Random) -> bytes:
    start, end = _slice(data, dice)
    return data[:start] + data[start:end] * dice.choice((2, 2, 3, 50)) + data[end:]


def _insert_noise(data: bytes, dice: Random) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.randbytes(dice.choice((1, 4, 16, 256))) + data[at:]


def _noise(data: bytes, dice: Random) -> bytes:
    return data[:32] + dice.randbytes(dice.choice((0, 16, 300, 5_000)))


def _extreme_number(data: bytes, dice: Random) -> bytes:
    letters = dice.choice("<>") + dice.choice("HII")
    at = dice.randint(0, max(0, len(data) - struct.calcsize(letters)))
    return _with_number(data, at, letters, dice)


def _cross(data: bytes, dice: Random) -> bytes:
    """The start of this and the end of another, perhaps of another format."""
    other = _another(dice)
    return data[: dice.randint(0, len(data))] + other[dice.randint(0, len(other)) :]


def _splice(data: bytes, dice: Random) -> bytes:
    other = _another(dice)
    start, end = _slice(other, dice)
    at = dice.randint(0, len(data))
    return data[:at] + other[start:end] + data[at + dice.choice((0, end - start)) :]


# --- with an eye for the format -------------------------------------------------------------------


def _extreme_length(data: bytes, dice: Random) -> bytes:
    part = _part(data, dice)
    return _with_checksums(_with_number(data, part.number_at, part.letters, dice))


def _change_within(data: bytes, dice: Random) -> bytes:
    part = _part(data, dice)
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        changed[dice.randrange(part.start, part.end)] = dice.choice((0, 1, 0xFF, dice.randrange(256)))
    return _with_checksums(bytes(changed))


def _spoil_pixels(data: bytes, dice: Random) -> bytes:
    """Bits, bytes or stretches of what is coded, and nothing else; where a JPEG has 0xFF, it stays."""
    spans = payloads(data)
    if not spans:
        return data
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        start, end = dice.choice(spans)
        # The first bytes of a picture set up its decoder.
        at = dice.randrange(start, dice.choice((end, end, min(end, start + 24))))
        for place in range(at, min(end, at + dice.choice((1, 1, 1, 2, 8, 64)))):
            new = dice.choice((0, changed[place] ^ 1 << dice.randrange(8), dice.randrange(256)))
            changed[place] = changed[place] if 0xFF in (new, changed[place]) and data[:1] == b"\xff" else new
    return _with_checksums(bytes(changed))


def _double_part(data: bytes, dice: Random) -> bytes:
    part = _part(data, dice)
    times = dice.choice((2, 3, 100))
    return data[: part.start] + data[part.start : part.end] * times + data[part.end :]


def _drop_part(data: bytes, dice: Random) -> bytes:
    part = _part(data, dice)
    return data[: part.start] + data[part.end :]


def _move_part(data: bytes, dice: Random) -> bytes:
    part, target = _part(data, dice), _part(data, dice)
    moved = data[part.start : part.end]
    if target.start >= part.end:
        return data[: part.start] + data[part.end : target.start] + moved + data[target.start :]
    return data[: target.start] + moved + data[target.start :]


def _foreign_part(data: bytes, dice: Random) -> bytes:
    """A part of another file, of the same format or not, in front of one of this."""
    other = _another(dice)
    part, target = _part(other, dice), _part(data, dice)
    return data[: target.start] + other[part.start : part.end] + data[target.start :]


MUTATORS: dict[str, Callable[[bytes, Random], bytes]] = {
    function.__name__.removeprefix("_"): function
    for function in (
        _flip_bits, _set_header_bytes, _cut_end, _cut_out, _repeat, _insert_noise, _noise, _extreme_number, _cross,
        _splice, _extreme_length, _change_within, _spoil_pixels, _double_part, _drop_part, _move_part, _foreign_part,
    )
}  # fmt: skip


# --- tools ----------------------------------------------------------------------------------------


def _another(dice: Random) -> bytes:
    return dice.choice(list(seeds().values()))


def _slice(data: bytes, dice: Random) -> tuple[int, int]:
    start = dice.randint(0, len(data))
    return start, min(len(data), start + dice.choice((1, 4, 16, 64, 1_000)))


def _part(data: bytes, dice: Random) -> Part:
    """Some part, or where none is recognised any four bytes."""
    known = parts(data)
    if known:
        return dice.choice(known)
    at = dice.randint(0, max(0, len(data) - 4))
    return Part(at, max(at + 1, min(len(data), at + 4)), at, ">I")


def _with_number(data: bytes, at: int, letters: str, dice: Random) -> bytes:
    size = struct.calcsize(letters)
    if at + size > len(data):
        return data
    (old,) = struct.unpack_from(letters, data, at)
    top = 256**size
    extremes = (0, 1, 2, 7, 8, top // 2 - 1, top // 2, top - 1, top - 8, old - 1, old + 1, old * 2, len(data), 65_535)
    return data[:at] + struct.pack(letters, dice.choice(extremes) % top) + data[at + size :]


def _with_checksums(data: bytes) -> bytes:
    """Correct the checksums where wrong ones would stop a decoder from seeing the damage."""
    if not data.startswith(b"\x89PNG"):
        return data
    repaired = bytearray(data)
    for chunk in png_chunks(data):
        if chunk.end <= len(data):
            checksum = zlib.crc32(repaired[chunk.start + 4 : chunk.end - 4])
            repaired[chunk.end - 4 : chunk.end] = struct.pack(">I", checksum)
    return bytes(repaired)
