"""How much memory is left, as the files of a kernel tell it."""

from pathlib import Path

import pytest

from media_jobs.adapters.memory_left import UNBOUNDED, bytes_in_all, bytes_left

MIB = 1_048_576


class Kernel:
    """Files as Linux shows them. The system has 1,000 MB left, and 24 of swap."""

    def __init__(self, folder: Path) -> None:
        self.groups, self.own, self.meminfo = folder / "groups", folder / "own", folder / "meminfo"
        self.meminfo.write_text("MemTotal: 2048000 kB\nMemAvailable: 1024000 kB\nSwapFree: 24576 kB\n")

    def group(self, path: str, **files: str | int) -> None:
        folder = self.groups / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(f"{text}\n")

    @property
    def left_mb(self) -> float:
        return bytes_left(self.groups, self.own, self.meminfo) / MIB

    @property
    def in_all_mb(self) -> float:
        return bytes_in_all(self.groups, self.own, self.meminfo) / MIB


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_without_groups_it_is_what_the_system_has_left(kernel: Kernel) -> None:
    assert kernel.left_mb == 1024
    assert kernel.in_all_mb == 2000


def test_where_nothing_is_known_there_is_no_bound(tmp_path: Path) -> None:
    nothing = (tmp_path, tmp_path / "own", tmp_path / "meminfo")
    assert bytes_left(*nothing) == bytes_in_all(*nothing) == UNBOUNDED


def test_the_narrowest_group_around_this_process_counts(kernel: Kernel) -> None:
    kernel.own.write_text("0::/outer/inner\n")
    kernel.group("outer", memory__max=256 * MIB, memory__current=200 * MIB)
    kernel.group("outer/inner", memory__max="max", memory__current=150 * MIB)
    assert kernel.left_mb == 56
    assert kernel.in_all_mb == 256


def test_files_give_way_but_code_in_use_does_not_and_swap_counts(kernel: Kernel) -> None:
    kernel.own.write_text("0::/service\n")
    stat = f"anon 1\ninactive_file {30 * MIB}\nactive_file {20 * MIB}\nfile_mapped {15 * MIB}"
    swap = {"memory__swap__max": 64 * MIB, "memory__swap__current": 4 * MIB}
    kernel.group("service", memory__max=256 * MIB, memory__current=250 * MIB, memory__stat=stat, **swap)
    assert kernel.left_mb == 6 + (30 + 20 - 15) + 60


def test_version_1_in_a_container_that_shows_its_own_group_as_the_root(kernel: Kernel) -> None:
    kernel.own.write_text("4:memory:/docker/0123\n1:cpu:/docker/0123\n")
    stat = f"inactive_file 1\ntotal_inactive_file {9 * MIB}\ntotal_active_file {3 * MIB}\ntotal_mapped_file {2 * MIB}"
    kernel.group("memory", memory__limit_in_bytes=256 * MIB, memory__usage_in_bytes=240 * MIB, memory__stat=stat)
    assert kernel.left_mb == 16 + 9 + 3 - 2


def test_a_limit_that_is_none_is_none(kernel: Kernel) -> None:
    kernel.own.write_text("4:memory:/\n")
    kernel.group("memory", memory__limit_in_bytes=9_223_372_036_854_771_712, memory__usage_in_bytes=240 * MIB)
    assert kernel.left_mb == 1024


def test_it_is_never_less_than_nothing(kernel: Kernel) -> None:
    kernel.own.write_text("0::/service\n")
    kernel.group("service", memory__max=256 * MIB, memory__current=257 * MIB)
    assert kernel.left_mb == 0
