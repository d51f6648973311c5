#!/bin/sh
# gunicorn==27.0.1, worker gthread: an application that takes over a connection (`environ["gunicorn.socket"]`, as WebSocket
# libraries do), closes it itself and raises StopIteration leaves the worker's count of connections one too low, each time.
# `finish_request` lowers `nr_conns`, calls `conn.close(graceful=True)`, whose `setblocking(True)` raises OSError for a closed
# socket, and lowers it again in `except Exception`. The count, by which `worker_connections` is kept and a stopping worker
# knows that requests are under way, goes below zero. Shutting the socket down and leaving its closing to gunicorn counts once.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gunicorn==27.0.1
cat >"$folder/app.py" <<'PYTHON'
import socket

worker = None


def application(environ, start_response):
    connection = environ["gunicorn.socket"]
    if environ["PATH_INFO"] == "/closed":
        connection.close()
        raise StopIteration
    if environ["PATH_INFO"] == "/shut":
        connection.shutdown(socket.SHUT_RDWR)
        raise StopIteration
    start_response("200 OK", [("Connection", "close")])
    return [str(worker.nr_conns).encode()]
PYTHON
cat >"$folder/conf.py" <<'PYTHON'
import app


def post_worker_init(worker):
    app.worker = worker
PYTHON
cat >"$folder/seen.py" <<'PYTHON'
import http.client, socket, subprocess, sys, time
from importlib.metadata import version
from pathlib import Path

folder = Path(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
options = ["--worker-class", "gthread", "--workers", "1", "--threads", "2", "--no-control-socket", "--log-level", "critical"]
server = subprocess.Popen(
    [folder / "venv/bin/gunicorn", "--config", "conf.py", *options, "--bind", f"127.0.0.1:{port}", "app"], cwd=folder
)


def get(path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def settled():
    """The count of connections, this one among them, once it no longer changes."""
    counts = [get("/"), ""]
    while counts[-1] != counts[-2]:
        time.sleep(0.3)
        counts.append(get("/"))
    return int(counts[-1])


try:
    for _ in range(100):
        if get("/"):
            break
        time.sleep(0.1)
    seen = {"at the start": settled()}
    for path in ("/shut", "/closed"):
        for _ in range(5):
            get(path)
        seen[f"after 5 times {path}"] = settled()
finally:
    server.terminate()
    server.wait()
print(f"gunicorn {version('gunicorn')}, gthread, connections counted while there is one:", seen)
assert list(seen.values()) == [1, 1, -4], "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
