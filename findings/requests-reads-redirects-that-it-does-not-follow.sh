#!/bin/sh
# requests==2.34.2: with `stream=True` the body of an answer is left to the caller, who reads as much of it as he wants. Not
# that of a redirect (3xx with Location): `Session.send` reads all of it, also with `allow_redirects=False`, in order to fill
# `response.next`; `response.raw` is at its end then. Whoever posts to others' addresses and wants only the beginning of an
# answer has to override `Session.get_redirect_target`.
# needs: Python 3.11 or newer, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2
cat >"$folder/seen.py" <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"body\n")

    def log_message(self, *_):
        pass


class LeavesRedirectsAlone(requests.Session):
    def get_redirect_target(self, resp):
        return None


def left(session, status):
    url = f"http://127.0.0.1:{server.server_address[1]}/{status}"
    with session.get(url, stream=True, allow_redirects=False) as response:
        assert response.status_code == status
        return response.raw.read()


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = {
    "200": left(requests.Session(), 200),
    "302": left(requests.Session(), 302),
    "302, overridden": left(LeavesRedirectsAlone(), 302),
}
print(f"requests {requests.__version__}, stream=True, allow_redirects=False, left to read: {seen}")
assert seen == {"200": b"body\n", "302": b"", "302, overridden": b"body\n"}, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
