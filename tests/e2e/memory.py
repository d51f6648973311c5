"""How much memory a process has had at most."""

from pathlib import Path


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def reset_peak_bytes(pid: int) -> int:
    """The peak begins anew at what it has now, which is returned."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_bytes(pid)
