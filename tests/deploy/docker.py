"""Docker, and the image in it.

IMAGE  the image that is tested; without it, it is built
DOCKER_HOST, and all else that `docker` reads, say where; where nothing answers, root starts a daemon of its own
DOCKER_BUILD  further options of `docker build`, such as secrets that this network takes
"""

import gzip
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.service import ROOT, START_LIMIT_S, Service
from tests.servers import Server, die_with_parent

BASE = "debian:trixie-slim"
USER = 10_001
MEMORY_BYTES = 256 * 1_048_576
SWAP_BYTES = 256 * 1_048_576  #: as in fly.toml; a host without swap has none to give, and may end a process
_BUILD_LIMIT_S = 1200.0


def docker(*arguments: str, limit_s: float = 120.0, env: Mapping[str, str] | None = None) -> str:
    """Standard output. Raises AssertionError with standard error."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    assert done.returncode == 0, f"docker {shlex.join(arguments)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


def answers() -> bool:
    return (
        shutil.which("docker") is not None
        and not subprocess.run(["docker", "version"], capture_output=True, check=False).returncode
    )


@contextmanager
def daemon() -> Iterator[None]:
    """The daemon that answers, or one of our own, which root may start: without networks, by Debian's docker.io."""
    if answers():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="gallimg-docker-") as name:
        folder = Path(name)
        socket = f"unix://{folder}/socket"
        command = ["dockerd", "--iptables=false", "--bridge=none", f"--host={socket}", f"--pidfile={folder}/pid"]
        server = Server("dockerd", [*command, f"--data-root={folder}/data", f"--exec-root={folder}/exec"], folder)
        os.environ["DOCKER_HOST"] = socket
        try:
            server.wait_until(lambda: docker("version"), AssertionError)
            yield
        finally:
            del os.environ["DOCKER_HOST"]
            server.stop(signal.SIGTERM)
            _unmount(folder)


def _unmount(folder: Path) -> None:
    """Undo what a daemon leaves mounted when it ends: itself, and the host's network as a file."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in reversed(mounted):  # what was mounted last, first
        if path.startswith(f"{folder}/"):
            subprocess.run(["umount", path], check=True, timeout=_BUILD_LIMIT_S)


def image() -> str:
    """The name of the image, which is built unless IMAGE names one."""
    if named := os.environ.get("IMAGE"):
        return named
    if not docker("images", "--quiet", BASE) and not _pulled():
        _bootstrap()
    options = shlex.split(os.environ.get("DOCKER_BUILD", ""))
    build = ("build", "--network=host", "--tag=gallimg:test", *options, ".")
    docker(*build, limit_s=_BUILD_LIMIT_S, env={"DOCKER_BUILDKIT": "1"})
    return "gallimg:test"


def compressed_bytes(name: str) -> dict[str, int]:
    """What each layer of the image takes where it is downloaded: as gzip makes it by default."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.tar"
        docker("save", f"--output={file}", name, limit_s=_BUILD_LIMIT_S)
        with tarfile.open(file) as saved:
            manifest = saved.extractfile("manifest.json")
            assert manifest
            layers = json.load(manifest)[0]["Layers"]
            return {layer: _gzipped_bytes(saved, layer) for layer in layers}


class Contained(Service):
    """The service in a container: no more rights, memory and writable places than the documentation asks for."""

    def __init__(self, data: Path, image: str, env: Mapping[str, str], *, command: str = "serve") -> None:
        super().__init__(data, env, command=command)
        self.name, self._image = f"gallimg-{secrets.token_hex(4)}", image

    def launch(self) -> "Contained":
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(
                ["docker", "run", f"--name={self.name}", *self._options(), self._image, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
            )
        return self

    def execute(self, *command: str) -> str:
        """Standard output of a small command in the running container: there is no room for a second Django."""
        return docker("exec", self.name, *command, limit_s=START_LIMIT_S)

    def run(self, program: str, *arguments: str, **env: str) -> str:
        """Standard output of a command in a container of its own, with the same settings."""
        settings = [f"--env={name}={value}" for name, value in env.items()]
        options = [*self._options(), *settings, f"--entrypoint={program}"]
        return docker("run", *options, self._image, *arguments, limit_s=START_LIMIT_S)

    def manage(self, *arguments: str, **env: str) -> str:
        return self.run("python3", "manage.py", *arguments, **env)

    def _options(self) -> list[str]:
        bounds = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--memory={MEMORY_BYTES}"]
        swap = (
            [f"--memory-swap={MEMORY_BYTES + SWAP_BYTES}"]
            if "swap" not in docker("info", "--format={{.Warnings}}")
            else []
        )
        values = {**self.env, "GALLIMG_DATA": "/data", "HOST": "127.0.0.1"}
        settings = [f"--env={name}={value}" for name, value in values.items()]
        volumes = [f"--volume={self.name}:/data", f"--volume={self.name}-tmp:/tmp"]
        return ["--rm", "--network=host", *bounds, *swap, *volumes, *settings]

    def kill(self) -> None:
        if self.started:
            subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)
            super().kill()
        docker("volume", "rm", "--force", self.name, f"{self.name}-tmp")


def _pulled() -> bool:
    return not subprocess.run(["docker", "pull", "--quiet", BASE], capture_output=True, check=False).returncode


def _bootstrap() -> None:
    """The base, where only Debian's packages can be had: a minimal system without its documentation."""
    with tempfile.TemporaryDirectory(prefix="gallimg-base-") as name:
        command = ["debootstrap", "--variant=minbase", "trixie", f"{name}/root"]
        subprocess.run(command, check=True, capture_output=True, timeout=_BUILD_LIMIT_S)
        left_out = ["--exclude=./usr/share/doc", "--exclude=./usr/share/man", "--exclude=./var/cache/apt/archives"]
        with subprocess.Popen(
            ["tar", "--directory", f"{name}/root", "--create", *left_out, "."], stdout=subprocess.PIPE
        ) as packed:
            subprocess.run(["docker", "import", "-", BASE], stdin=packed.stdout, check=True, capture_output=True)


def _gzipped_bytes(saved: tarfile.TarFile, layer: str) -> int:
    content = saved.extractfile(layer)
    assert content
    with tempfile.TemporaryFile() as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6) as packed:
            shutil.copyfileobj(content, packed)
        return file.tell()
