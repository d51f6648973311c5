"""How much memory is left, for all that share it with this process: a container, a systemd unit, or the whole host.

Linux tells. Elsewhere there is as much as anybody wants.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

#: Where nothing is known.
UNBOUNDED = sys.maxsize
_GROUPS = Path("/sys/fs/cgroup")
_OWN, _MEMINFO = Path("/proc/self/cgroup"), Path("/proc/meminfo")
#: The kernel's word for no limit, of version 1: as many pages as it can count.
_NO_LIMIT = 1 << 62


def bytes_left(groups: Path = _GROUPS, own: Path = _OWN, meminfo: Path = _MEMINFO) -> int:
    """What may still be taken before the kernel ends a process, by the narrowest of all groups around this one.

    Files in the cache give way, and count as free; code that is in use does not. Swap counts where it may be used.
    The arguments are for tests.
    """
    lefts = [_by_system(meminfo)]
    for folder in _around(groups, own):
        left = _by_group(folder)
        if left is not None:
            lefts.append(left)
    return max(0, min(lefts))


def bytes_in_all(groups: Path = _GROUPS, own: Path = _OWN, meminfo: Path = _MEMINFO) -> int:
    """How much memory there is, without swap: the host's, or the least that a group around this process may take."""
    total = _fields(meminfo).get("MemTotal:")
    limits = [limit for folder in _around(groups, own) if (limit := _limit(folder)) is not None]
    return min([UNBOUNDED if total is None else 1024 * total, *limits])


def _by_system(meminfo: Path) -> int:
    fields = _fields(meminfo)
    return 1024 * (fields["MemAvailable:"] + fields["SwapFree:"]) if "MemAvailable:" in fields else UNBOUNDED


def _around(groups: Path, own: Path) -> Iterator[Path]:
    """The groups of this process that it can see, of both versions, from its own outwards."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        # In a container the path may be one of the host's, of which the end is missing here, or all of it.
        inner = root / path.strip("/")
        yield from (folder for folder in (inner, *inner.parents) if folder == root or root in folder.parents)


def _by_group(folder: Path) -> int | None:
    """None where the group has no limit, or is out of sight."""
    limit, second = _limit(folder), folder / "memory.max"
    if limit is None:
        return None
    if second.exists():
        used, swap = _number(folder / "memory.current"), _swap_left(folder)
    else:
        used, swap = _number(folder / "memory.usage_in_bytes"), 0  # there, swap is seldom accounted for
    stat = _fields(folder / "memory.stat")
    files = sum(_of_all(stat, name) for name in ("inactive_file", "active_file"))
    in_use = _of_all(stat, "file_mapped" if second.exists() else "mapped_file")
    return limit - (used or 0) + max(0, files - in_use) + swap


def _limit(folder: Path) -> int | None:
    second = folder / "memory.max"
    return _number(second if second.exists() else folder / "memory.limit_in_bytes")


def _swap_left(folder: Path) -> int:
    """What the group may swap out: as nothing counts that it may as much as it likes, without knowing how much."""
    limit, used = _number(folder / "memory.swap.max"), _number(folder / "memory.swap.current")
    return max(0, limit - used) if limit is not None and used is not None else 0


def _of_all(stat: dict[str, int], name: str) -> int:
    """With the groups within, of which version 1 counts those by another name."""
    return stat.get(f"total_{name}", stat.get(name, 0))


def _number(file: Path) -> int | None:
    try:
        number = int(file.read_text())
    except (OSError, ValueError):  # ValueError: `max`
        return None
    return number if number < _NO_LIMIT else None


def _fields(file: Path) -> dict[str, int]:
    try:
        words = (line.split() for line in file.read_text().splitlines())
        return {word[0]: int(word[1]) for word in words if len(word) > 1 and word[1].isdigit()}
    except OSError:
        return {}
