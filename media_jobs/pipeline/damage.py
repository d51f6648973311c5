"""Why a decoder gave up, told by its words and by the end of the file."""

from pathlib import Path

from media_jobs import errors

_CUT_SHORT = ("premature end of JPEG", "Unexpected end of GIF", "unexpected end")
_NO_MEMORY = ("out of memory", "unable to allocate", "insufficient memory", "cannot allocate")


def refusal(path: Path, format: str, said: str, *, memory_bytes: int) -> errors.ImageRefused:
    """The decoder's error message `said` as one of TooMuchMemory, Truncated and Undecodable."""
    if any(words in said.lower() for words in _NO_MEMORY):
        return errors.TooMuchMemory(needed_bytes=memory_bytes + 1, limit_bytes=memory_bytes)
    if any(words in said for words in _CUT_SHORT) or _breaks_off(path, format):
        return errors.Truncated()
    return errors.Undecodable()


def _breaks_off(path: Path, format: str) -> bool:
    """Whether the file lacks the end that its format promises."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        file.seek(max(0, size_bytes - 64))
        end = file.read()
    if format == "png":
        return b"IEND" not in end
    if format == "webp":
        return int.from_bytes(start[4:8], "little") + 8 > size_bytes
    if format == "gif":
        return b"\x3b" not in end[-4:]
    return False
