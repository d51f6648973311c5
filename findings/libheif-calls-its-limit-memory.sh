#!/bin/sh
# pi-heif==1.4.0 (libheif 1.23.0): a HEIC of one coded picture that its `clap` crops to a small part of it is refused, with
# "Memory allocation error: Security limit exceeded: Image size 512x512 exceeds the maximum image size 9776". The limit is
# (width + 64) * (height + 64) of the crop, and the coded picture is held against it. A grid of tiles with the same crop opens, and
# pi-heif 1.3.0 opens both. Who retries where memory is short retries this for ever.
# A `clap` that is overwritten by one of the whole picture opens; the crop is then one's own.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pi-heif==1.4.0
cat >"$folder/seen.py" <<'PYTHON'
import struct

import pi_heif

SIDE = 512
HVCC = bytes.fromhex(
    "0103700000009000000000005af000fcfdf8f800000f03600001001840010c01ffff03700000030090000003000003005aba0240610001002b4201"
    "0103700000030090000003000003005aa004020080596ea4929ae6e021a0c08000000c80000003008462000100074401c172b06240"
)
CODED = bytes.fromhex(
    "000000e32801af063106c1e6965545205afcfd37f89607ffffb28c7a1feaadfaabc4263eef2756af36e26e059c3800000300000300000300000300"
    "000300002460196e059ceb000003000003000003000003000003000003000003000003033200000300ce0000030000030000030000030000030000"
    "0300003260000013800000030000030000030000030000030000107000005c800000030000030000030000030000030011b00000de000003000003"
    "00000300000300000300020a000172000003000003000003000003000003000ef80001d6000003000003000003000003000003002aa0"
)


def box(kind, *content):
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def full(kind, *content, version=0):
    return box(kind, bytes([version, 0, 0, 0]), *content)


def heic(width, height):
    properties = (
        box(b"hvcC", HVCC),
        full(b"ispe", struct.pack(">II", SIDE, SIDE)),
        box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1)),
    )
    head = box(b"ftyp", b"heic", bytes(4), b"heic", b"mif1")

    def meta(at):
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", b"\0\1"),
            full(b"iinf", b"\0\1", full(b"infe", b"\0\1\0\0hvc1\0", version=2)),
            box(b"iprp", box(b"ipco", *properties), full(b"ipma", b"\0\0\0\1\0\1\3\x81\2\x83")),
            full(b"iloc", b"\x44\0\0\1", struct.pack(">HHHII", 1, 0, 1, at, len(CODED))),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", CODED)


def seen(width, height):
    try:
        picture = pi_heif.open_heif(heic(width, height), convert_hdr_to_8bit=True)
        picture.data
    except RuntimeError as error:
        return str(error).strip()
    return f"opens, {picture.size[0]}x{picture.size[1]}"


print(f"pi-heif {pi_heif.__version__}, libheif {pi_heif.libheif_info()['libheif']}, {SIDE}x{SIDE}:")
for size in ((400, 400), (SIDE, SIDE), (40, 30)):
    print(f"  cropped to {size[0]}x{size[1]}: {seen(*size)}")
assert seen(SIDE, SIDE).startswith("opens"), "this has changed"
assert "Memory allocation error: Security limit exceeded" in seen(40, 30), "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
