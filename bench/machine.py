"""What was measured on, and with which versions."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import PIL
import pyvips


def describe() -> dict[str, str]:
    return {
        _processor(): f"({os.cpu_count()} cores)",
        "Python": platform.python_version(),
        "libvips": ".".join(str(pyvips.version(part)) for part in range(3)),
        "Pillow": PIL.__version__,
        **_in_node(),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _in_node() -> dict[str, str]:
    if not shutil.which("node"):
        return {}
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    pinned = re.findall(r'"(jimp|sharp)": "([\d.]+)"', (Path(__file__).parent / "package.json").read_text())
    return {"Node": version.strip().lstrip("v"), **dict(pinned)}
