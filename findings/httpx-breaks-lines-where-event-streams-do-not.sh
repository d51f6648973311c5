#!/bin/sh
# httpx==0.28.1: `Response.iter_lines()` breaks lines where `str.splitlines` does: also at U+2028, U+2029, U+0085, VT, FF and
# FS to RS. Server-Sent Events and JSON Lines end lines at LF (or CR) only, and JSON may hold U+2028 and U+0085 as they are
# (json.dumps with ensure_ascii=False, and JSON.stringify of browsers write them so). One event or record comes out in two
# pieces then, neither of them JSON; a reader of events drops the second, as it has no field's name. Split the bytes instead.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check httpx==0.28.1
cat >"$folder/seen.py" <<'PYTHON'
import json

import httpx


def lines(character):
    record = json.dumps({"name": f"oak{character}gall"}, ensure_ascii=False)
    sent = f"data: {record}\n\n".encode()
    answer = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=sent)
    assert json.loads(sent.split(b"\n")[0].removeprefix(b"data: ")), "it is one line of JSON"
    return list(answer.iter_lines())


seen = {f"U+{ord(character):04X}": len(lines(character)) for character in "\u2028\u2029\x85\u00e9"}
print(f"httpx {httpx.__version__}, iter_lines() of a message of 2 lines with this character in its JSON:", seen)
assert seen == {"U+2028": 3, "U+2029": 3, "U+0085": 3, "U+00E9": 2}, "this has changed"
assert lines("\u2028") == ['data: {"name": "oak', 'gall"}', ""], "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
