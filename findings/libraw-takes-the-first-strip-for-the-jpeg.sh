#!/bin/sh
# rawpy==0.28.0 (LibRaw 0.22.2): of a preview whose JPEG lies in two strips of its directory `extract_thumb()` returns the
# first strip, and says JPEG; nothing tells that the rest is missing. TIFF lets a writer part a strip wherever it likes, and
# StripByteCounts has both sizes. Decoders show the upper part and a grey rest, with a warning at most.
# Whoever takes previews from LibRaw has to check that they end.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rawpy==0.28.0 numpy==2.4.6 pillow==13.0.0
cat >"$folder/seen.py" <<'PYTHON'
import io, random, struct, sys
from pathlib import Path

import rawpy
from PIL import Image

path = Path(sys.argv[1]) / "two-strips.dng"
buffer = io.BytesIO()
Image.frombytes("RGB", (800, 600), random.Random(1).randbytes(800 * 600 * 3)).save(buffer, "JPEG", quality=50)
jpeg = buffer.getvalue()
half = len(jpeg) // 2
data = bytearray(struct.pack("<2sHI", b"II", 42, 8) + bytes(1_024))


def put(blob):
    data.extend(blob + b"\0" * (len(blob) % 2))
    return len(data) - len(blob) - len(blob) % 2


def directory(at, tags):
    """tag: type (1 BYTE, 2 ASCII, 3 SHORT, 4 LONG), number of values, four bytes or an offset."""
    entries = (struct.pack("<HHI4s", tag, *values) for tag, values in sorted(tags.items()))
    packed = struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)
    data[at : at + len(packed)] = packed


def long(value):
    return 4, 1, struct.pack("<I", value)


def short(value):
    return 3, 1, struct.pack("<HH", value, 0)


pixels = put(bytes(64 * 48 * 2))
first, second = put(jpeg[:half]), put(jpeg[half:])
starts, sizes = put(struct.pack("<2I", first, second)), put(struct.pack("<2I", half, len(jpeg) - half))
raw = put(bytes(200))
directory(raw, {
    0x00FE: long(0), 0x0100: long(64), 0x0101: long(48), 0x0102: short(16), 0x0103: short(1), 0x0106: short(32803),
    0x0111: long(pixels), 0x0115: short(1), 0x0116: long(48), 0x0117: long(64 * 48 * 2),
    0x828D: (3, 2, struct.pack("<HH", 2, 2)), 0x828E: (1, 4, bytes([0, 1, 1, 2])),
})
directory(8, {
    0x00FE: long(1), 0x0100: long(800), 0x0101: long(600), 0x0103: short(7), 0x0106: short(6),
    0x010F: (2, 2, b"G\0\0\0"), 0x0110: (2, 2, b"G\0\0\0"),
    0x0111: (4, 2, struct.pack("<I", starts)), 0x0115: short(3), 0x0116: long(300),
    0x0117: (4, 2, struct.pack("<I", sizes)), 0x014A: long(raw), 0xC612: (1, 4, bytes([1, 4, 0, 0])),
})
path.write_bytes(data)
with rawpy.imread(str(path)) as opened:
    thumb = opened.extract_thumb()
found = bytes(thumb.data)
own_header = len(found) - half
print(f"rawpy {rawpy.__version__}, LibRaw {rawpy.libraw_version}: {thumb.format}, {len(found)} bytes of {len(jpeg)}")
assert thumb.format is rawpy.ThumbFormat.JPEG, "this has changed"
assert 0 <= own_header < 2_000 and found.endswith(jpeg[half - 1_000 : half]), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
