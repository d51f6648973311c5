"""Bytes that tell how many of them were looked at."""

from typing import SupportsIndex


class Counted(bytes):
    """A file's bytes that count how many of them are looked at."""

    looked_at = 0

    def __getitem__(self, at: SupportsIndex | slice) -> int | bytes:  # type: ignore[override]
        found = super().__getitem__(at)
        self.looked_at += len(found) if isinstance(found, bytes) else 1
        return found
