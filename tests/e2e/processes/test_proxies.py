"""A reverse proxy on the same host, with nothing but an address in its settings, opens the service to nobody."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import Service, photo, wait_until
from tests.servers import die_with_parent, free_ports

pytestmark = pytest.mark.e2e

NGINX = """
daemon off; master_process off; error_log stderr; pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; {more} }} }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  {more}
listen gallimg
  bind 127.0.0.1:{port}
  server web {address}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.log
Mutex file:{folder}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / {url}/
{more}
"""
CADDY = "{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n reverse_proxy {address}\n {more}\n}}\n"

_HTTP_1_1 = "proxy_http_version 1.1; proxy_set_header Host $http_host;"
_CADDY = ("run", "--adapter", "caddyfile", "--config", "{file}")
#: Program, package, settings, command, and what some add.
PROXIES = {
    "nginx": ("nginx", "nginx-light", NGINX, ("-c", "{file}"), ""),
    "nginx-http1.1": ("nginx", "nginx-light", NGINX, ("-c", "{file}"), _HTTP_1_1),
    "haproxy": ("haproxy", "haproxy", HAPROXY, ("-db", "-f", "{file}"), ""),
    "haproxy-forwardfor": ("haproxy", "haproxy", HAPROXY, ("-db", "-f", "{file}"), "option forwardfor"),
    "apache2": ("apache2", "apache2", APACHE, ("-DFOREGROUND", "-f", "{file}"), ""),
    "caddy": ("caddy", "caddy", CADDY, _CADDY, ""),
}


@contextmanager
def proxy(name: str, service: Service, folder: Path) -> Iterator[str]:
    """The address of a proxy before the service."""
    program, package, template, arguments, more = PROXIES[name]
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if path is None:
        pytest.skip(f"there is no {program}; apt-get install {package}")
    port, file = free_ports(1)[0], folder / "proxy.conf"
    address = service.url.removeprefix("http://")
    file.write_text(template.format(port=port, url=service.url, address=address, folder=folder, more=more))
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            [path, *(argument.format(file=file) for argument in arguments)],
            env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}"), 20, f"{name}: {(folder / 'proxy.log').read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def upload(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{url}/v1/images", files={"file": ("photo.jpg", photo())}, headers=headers, timeout=30)


@pytest.mark.parametrize("name", PROXIES)
def test_whoever_comes_through_a_proxy_needs_a_credential(service: Service, tmp_path: Path, name: str) -> None:
    assert upload(service.url).status_code == 202
    key = {"Authorization": f"Bearer {service.manage('apikey', 'create', name).strip()}"}
    with proxy(name, service, tmp_path) as url:
        answer = upload(url)
        assert (answer.status_code, answer.json()["code"]) == (401, "credential_missing")
        assert upload(url, key).status_code == 202
