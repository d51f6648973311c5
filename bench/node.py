"""Gets the packages of the peers in Node, by `npm ci`, as `package-lock.json` pins them."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_NEEDED = "needs Node 20.9 or newer with npm: apt install nodejs npm on Debian 13, else https://nodejs.org"


class NotInstalled(Exception):
    """Says what to install."""


def prepare() -> None:
    """Raises NotInstalled."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotInstalled(_NEEDED)
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    if tuple(int(part) for part in version.strip().lstrip("v").split(".")[:2]) < (20, 9):
        raise NotInstalled(f"{_NEEDED} (found {version.strip()})")
    with (_HERE / "package-lock.json").open() as pins:
        fcntl.flock(pins, fcntl.LOCK_EX)  # npm does not, and two at once remove each other's files
        _install()


def _install() -> None:
    installed = _HERE / "node_modules/.package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (_HERE / "package-lock.json").stat().st_mtime:
        return
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(install, cwd=_HERE, stdout=sys.stderr, check=False).returncode:
        raise NotInstalled("npm ci failed, see above")
