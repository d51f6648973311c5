#!/bin/sh
# pyvips==3.2.0 with pyvips-binary==8.18.7: `resize` moves a picture by half a pixel of the result, to the right and down, when it
# enlarges it, by every kernel but nearest and by whatever factor. When it makes one smaller it does not. Found by comparing sizes:
# one that was made smaller and then larger again lies beside one that was made at once. For thumbnails nobody sees it; who lays an
# enlarged picture over the original, or measures in it, does. Pillow 13.0.0 does not move it.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyvips==3.2.0 pyvips-binary==8.18.7 pillow==13.0.0
cat >"$folder/moved.py" <<'PYTHON'
import struct

import pyvips
from PIL import Image

WIDE, HIGH = 100, 20
# A slope that rises by 1 a pixel: what is read at a place tells where it comes from. Pixels have their values at their middles.
SLOPE = struct.pack(f"{WIDE}f", *(x + 0.5 for x in range(WIDE))) * HIGH


def by_libvips(times, kernel):
    image = pyvips.Image.new_from_memory(SLOPE, WIDE, HIGH, 1, "float").resize(times, kernel=kernel)
    return image.width, image.crop(0, image.height // 2, image.width, 1).write_to_memory()


def by_pillow(times):
    image = Image.frombytes("F", (WIDE, HIGH), SLOPE).resize((round(WIDE * times), round(HIGH * times)), Image.Resampling.BICUBIC)
    row = image.height // 2
    return image.width, image.crop((0, row, image.width, row + 1)).tobytes()


def moved(found):
    width, row = found
    values = struct.unpack(f"{width}f", row)
    times = width / WIDE
    far_from_edges = range(width // 4, width - width // 4)
    return round(sum((x + 0.5) - values[x] * times for x in far_from_edges) / len(far_from_edges), 2)


kernels = ("linear", "cubic", "mitchell", "lanczos3")
larger = {f"{kernel} {times}": moved(by_libvips(times, kernel)) for kernel in kernels for times in (2, 3, 4.5)}
smaller = {f"{kernel} {times}": moved(by_libvips(times, kernel)) for kernel in kernels for times in (0.5, 0.2)}
pillow = {str(times): moved(by_pillow(times)) for times in (2, 3, 4.5)}
print(f"libvips {'.'.join(str(pyvips.version(part)) for part in range(3))}, moved by so many pixels of the result:")
print(f"enlarged {larger}\nmade smaller {smaller}\nPillow, enlarged {pillow}")
assert set(larger.values()) == {0.5}, "this has changed"
assert all(abs(value) < 0.02 for value in [*smaller.values(), *pillow.values()]), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/moved.py"
