"""Starts each proxy with what docs/proxies.md says, in the least around it that lets it run in a folder of its own."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import ROOT, Service, wait_until
from tests.proxies.certificates import NAME, Certificate
from tests.servers import die_with_parent, free_ports

#: What curl says of a stream that was reset: Caddy 2.6 cuts off some early refusals by HTTP/2, behind their status.
_CUT_OFF = (18, 92)
_NGINX = """daemon off; master_process off; error_log stderr; pid {folder}/nginx.pid;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{documented}
}}
"""
_APACHE = """ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
Mutex file:{folder}
User www-data
Group www-data
{modules}
{documented}
"""
_CADDY = """{{
admin off
auto_https disable_redirects
servers {{
    protocols h1 h2
}}
}}
{documented}
"""
_MODULES = ("mpm_event", "authz_core", "headers", "http2", "proxy", "proxy_http", "socache_shmcb", "ssl")
_LOADED = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES)


@dataclass(frozen=True)
class Kind:
    """command: what runs it. around: what stands around the documented settings."""

    package: str
    command: tuple[str, ...]
    around: str = "{documented}"


KINDS = {
    "nginx": Kind("nginx-light", ("nginx", "-c", "{file}"), _NGINX),
    "haproxy": Kind("haproxy", ("haproxy", "-db", "-f", "{file}")),
    "apache": Kind("apache2", ("apache2", "-DFOREGROUND", "-f", "{file}"), _APACHE),
    "caddy": Kind("caddy", ("caddy", "run", "--adapter", "caddyfile", "--config", "{file}"), _CADDY),
}


def documented(name: str) -> str:
    """The settings for one of them, as docs/proxies.md has them."""
    page = (ROOT / "docs/proxies.md").read_text()
    found = re.search(rf"```{name}\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def placed(settings: str, *, port: int, service: Service, files: Certificate) -> str:
    """The same with the addresses and files of a test; each has to occur, or the page has changed."""
    here = {
        r"127\.0\.0\.1:8080": f"127.0.0.1:{service.env['PORT']}",
        r"(?<=[ :])443\b": str(port),
        r"/etc/ssl/img\.example\.org\.both\.pem": str(files.both),
        r"/etc/ssl/img\.example\.org\.pem": str(files.chain),
        r"/etc/ssl/img\.example\.org\.key": str(files.key),
    }
    count = 0
    for pattern, place in here.items():
        settings, times = re.subn(pattern, place, settings)
        count += times
    assert count >= 3, settings
    return settings


class Proxy:
    """A running proxy. port: where it speaks https, for the name of its certificate."""

    def __init__(self, name: str, port: int, files: Certificate) -> None:
        self.name, self.port, self.files = name, port, files

    def client(self, **how: object) -> httpx.Client:
        """A client to which the proxy is https://img.example.org."""
        return httpx.Client(
            transport=_Transport(self.port, self.files),
            base_url=f"https://{NAME}",
            timeout=120,
            **how,  # type: ignore[arg-type]
        )

    def curl(self, path: str, *arguments: str) -> tuple[str, str, str]:
        """Status, HTTP version and body of what curl is answered."""
        command = ["curl", "--silent", "--show-error", "--cacert", str(self.files.chain), "--max-time", "120"]
        to = ["--connect-to", f"{NAME}:443:127.0.0.1:{self.port}", f"https://{NAME}{path}"]
        asked = ["--write-out", "\n%{http_code} %{http_version}", *arguments]
        found = subprocess.run([*command, *to, *asked], capture_output=True, text=True, timeout=150, check=False)
        allowed = (0, *_CUT_OFF) if self.name == "caddy" else (0,)
        assert found.returncode in allowed, (found.returncode, found.stderr, found.stdout)
        body, _, told = found.stdout.rpartition("\n")
        status, version = told.split()
        return status, version, body


class _Transport(httpx.HTTPTransport):
    def __init__(self, port: int, files: Certificate) -> None:
        super().__init__(verify=ssl.create_default_context(cafile=files.chain))
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": NAME},
        )
        return super().handle_request(sent)


@contextmanager
def proxy(name: str, service: Service, folder: Path, files: Certificate) -> Iterator[Proxy]:
    """A proxy before the service, which answers already."""
    kind = KINDS[name]
    program = shutil.which(kind.command[0], path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None or shutil.which("curl") is None:
        pytest.skip(f"{name} or curl is missing: apt-get install {kind.package} curl")
    port, file = free_ports(1)[0], folder / f"{name}.conf"
    said = placed(documented(name), port=port, service=service, files=files)
    file.write_text(kind.around.format(documented=said, folder=folder, port=port, modules=_LOADED))
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [program, *(argument.format(file=file) for argument in kind.command[1:])],
            env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )
    started = Proxy(name, port, files)
    try:
        wait_until(lambda: _answers(started) or process.poll() is not None, 60, f"{name}: {log_path.read_text()}")
        assert process.poll() is None, log_path.read_text()
        yield started
    finally:
        process.terminate()
        process.wait(20)


def _answers(started: Proxy) -> bool:
    try:
        with started.client() as client:
            return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
