#!/bin/sh
# pyvips==3.2.0 with pyvips-binary==8.18.7: this wheel's libtiff has neither ZSTD, LERC, LZMA nor old-style JPEG. A plain
# load of such a TIFF raises nothing and gives black pixels; "compression support is not configured" stands in the error
# buffer only, where pyvips never looks. `fail_on="error"` raises for strips, and not for tiles. What the tag Compression
# says has to be asked first.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyvips==3.2.0 pyvips-binary==8.18.7
cat >"$folder/seen.py" <<'PYTHON'
import logging, struct, sys
from pathlib import Path

import pyvips

logging.disable(logging.CRITICAL)
folder = Path(sys.argv[1])
WIDTH, HEIGHT, SHORT, LONG = 16, 16, 3, 4
ZSTD, LERC, LZMA = 50000, 34887, 34925


def tiff(compression, layout, pixels):
    places = {"strips": ((0x111, 8), (0x116, HEIGHT), (0x117, len(pixels))),
              "tiles": ((0x142, WIDTH), (0x143, HEIGHT), (0x144, 8), (0x145, len(pixels)))}  # fmt: skip
    plain = ((0x100, WIDTH), (0x101, HEIGHT), (0x103, compression), (0x106, 2), (0x115, 3), *places[layout])
    tags = sorted([(0x102, SHORT, [8, 8, 8]), *((tag, LONG, [value]) for tag, value in plain)])
    bits_at = 8 + len(pixels)
    data = b"II*\0" + struct.pack("<I", bits_at + 6) + pixels + struct.pack("<3H", 8, 8, 8) + struct.pack("<H", len(tags))
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if kind == SHORT else 'I'}", *values)
        place = struct.pack("<I", bits_at) if len(packed) > 4 else packed.ljust(4, b"\0")
        data += struct.pack("<HHI", tag, kind, len(values)) + place
    return data + bytes(4)


def seen(data, fail_on):
    path = folder / f"{seen.count}.tif"  # libvips would remember a file of the same name
    seen.count += 1
    path.write_bytes(data)
    try:
        picture = pyvips.Image.tiffload(str(path), fail_on=fail_on).copy_memory()
    except pyvips.Error:
        return "an error"
    return "black" if picture[:3].max() == 0 else "pixels"


seen.count = 0
print(f"libvips {'.'.join(str(pyvips.version(part)) for part in range(3))}, pixels of 0x55, by fail_on:")
for name, scheme in (("ZSTD", ZSTD), ("LERC", LERC), ("LZMA", LZMA)):
    for layout, loudly in (("strips", "an error"), ("tiles", "black")):
        found = {fail_on: seen(tiff(scheme, layout, b"\x55" * 768), fail_on) for fail_on in ("none", "error")}
        print(f"  {name}, {layout}: {found}")
        assert found == {"none": "black", "error": loudly}, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
