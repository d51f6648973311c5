#!/bin/sh
# pyvips==3.2.0 with pyvips-binary==8.18.7: no TIFF in CIELab with 8 bits a sample loads; "bad labq format" says that libvips
# made a picture of its own kind that its own check refuses. With 16 bits it loads. Whoever overwrites the tag
# PhotometricInterpretation (8) by RGB (2) gets the samples as they are stored: L from 0 to 255, a and b with a sign.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyvips==3.2.0 pyvips-binary==8.18.7
cat >"$folder/seen.py" <<'PYTHON'
import struct, sys
from pathlib import Path

import pyvips

folder = Path(sys.argv[1])
WIDTH, HEIGHT, SHORT, LONG = 16, 16, 3, 4


def tiff(photometric, bits, pixel):
    pixels = pixel * WIDTH * HEIGHT
    tags = [
        (0x100, SHORT, WIDTH), (0x101, SHORT, HEIGHT), (0x102, SHORT, None), (0x103, SHORT, 1),
        (0x106, SHORT, photometric), (0x111, LONG, 8), (0x115, SHORT, 3), (0x116, SHORT, HEIGHT), (0x117, LONG, len(pixels)),
    ]  # fmt: skip
    bits_at = 8 + len(pixels)
    data = b"II*\0" + struct.pack("<I", bits_at + 6) + pixels + struct.pack("<4H", bits, bits, bits, len(tags))
    for tag, kind, value in tags:
        data += struct.pack("<HHII", tag, kind, 3 if value is None else 1, bits_at if value is None else value)
    return data + bytes(4)


def seen(name, data):
    path = folder / f"{name}.tif"
    path.write_bytes(data)
    try:
        return str([round(value) for value in pyvips.Image.tiffload(str(path)).copy_memory()(0, 0)])
    except pyvips.Error as error:
        return error.detail.split("\n")[0]


lab, lab16 = struct.pack("Bbb", 123, 69, 52), struct.pack("<Hhh", 31_600, 69 * 256, 52 * 256)
found = {
    "CIELab, 8 bits": seen("8", tiff(8, 8, lab)),
    "CIELab, 16 bits": seen("16", tiff(8, 16, lab16)),
    "the former as RGB": seen("rgb", tiff(2, 8, lab)),
}
print(f"libvips {'.'.join(str(pyvips.version(part)) for part in range(3))}: {found}")
assert "bad labq format" in found["CIELab, 8 bits"], "this has changed"
assert found["CIELab, 16 bits"].startswith("["), "this has changed"
assert found["the former as RGB"] == "[123, 69, 52]", "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
