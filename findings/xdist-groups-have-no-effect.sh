#!/bin/sh
# pytest==9.2.0 with pytest-xdist==3.8.0: `--dist loadgroup` no longer keeps the tests of an `xdist_group` on one worker.
# xdist marks the group by appending "@group" to `item._nodeid`; in this pytest `item.nodeid` is no longer read from that
# attribute, so the scheduler never sees the suffix. Nothing is said: the tests pass, and run on all workers.
# Whatever they share (a port, a server, a module's fixture) exists several times, at the same time.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 pytest-xdist==3.8.0
cat >"$folder/test_group.py" <<'PYTHON'
import os
import time
from pathlib import Path

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_of_one_group(number):
    time.sleep(0.3)
    Path(os.environ["SEEN"], os.environ["PYTEST_XDIST_WORKER"]).touch()
PYTHON
mkdir "$folder/seen"
cd "$folder"
SEEN="$folder/seen" "$folder/venv/bin/pytest" -q -p no:cacheprovider -n 2 --dist loadgroup test_group.py >"$folder/out"
workers=$(ls "$folder/seen" | wc -l)
echo "pytest 9.2.0, pytest-xdist 3.8.0, --dist loadgroup: 8 tests of one group ran on $workers workers"
[ "$workers" -eq 2 ] || { echo "this has changed" >&2; exit 1; }
