"""The template of this process, from the outside: a program that is forked into a decoder whenever one is needed.

A decoder becomes the child of this process, not of the template: it is waited for, measured and killed as any other,
and whatever becomes of the template does not touch it.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from media_jobs import errors
from media_jobs.adapters.decoder.exit_codes import describe_exit
from media_jobs.adapters.decoder.template_process import TemplateDied, TemplateProcess
from media_jobs.ports import Heartbeat, no_heartbeat

log = structlog.get_logger(__name__)

#: It is given up when nobody has needed it for so long: it holds 16 MB, and loads its libraries again in 0.2 s.
_IDLE_S = 60.0
_SLICE_S = 0.25

_template: TemplateProcess | None = None
_is_stale = False
_lock = threading.Lock()


def fork(entry: Path, arguments: dict[str, Any], pipes: Sequence[int], heartbeat: Heartbeat) -> int:
    """The process id of a new decoder with these `arguments` of `loop.main`, and `pipes` for standard streams.

    entry: the program that is the template; it is started when first needed. May be called by any thread; meanwhile
    `heartbeat` is called at least twice a second. Raises DecoderFailed where there is none to be had,
    DecoderKilled where somebody has killed the template, WorkspaceUnavailable where the system refuses, and what
    `heartbeat` raises.
    """
    with _held(heartbeat):
        return _forked(entry, arguments, pipes, heartbeat)


def renew() -> None:
    """Have the next decoder forked from a new template, with addresses and hashes that no former one could tell of."""
    global _is_stale  # noqa: PLW0603 - one template per process
    _is_stale = True


def is_running() -> bool:
    """Whether the next decoder costs no more than a fork."""
    return _template is not None and not _is_stale


def close() -> None:
    """End the template, if there is one. Decoders go on."""
    with _held(no_heartbeat):
        _end()


def keep() -> None:
    """Have it stay for some time: there are pictures, and one of them may need another decoder."""
    if template := _template:  # another thread may end it meanwhile
        template.needed_at_s = time.monotonic()


def close_if_idle() -> None:
    """End it where nobody has needed it for some time."""
    template = _template
    if template and time.monotonic() - template.needed_at_s > _IDLE_S and _lock.acquire(blocking=False):
        try:
            _end()
        finally:
            _lock.release()


def _forked(entry: Path, arguments: dict[str, Any], pipes: Sequence[int], heartbeat: Heartbeat) -> int:
    global _template, _is_stale
    if _template and (_is_stale or _template.entry != entry):
        _end()
    if _template:
        try:
            return _asked(_template, arguments, pipes, heartbeat)
        except TemplateDied as died:
            log.warning("template_lost", stderr=str(died))
    try:
        _template, _is_stale = TemplateProcess(entry, heartbeat), False
        return _asked(_template, arguments, pipes, heartbeat)
    except TemplateDied as died:
        log.error("template_failed", stderr=str(died), killed=died.killed)
        if died.killed:
            raise errors.DecoderKilled(describe_exit(-signal.SIGKILL)) from died
        raise errors.DecoderFailed("it could not be started") from died


def _asked(template: TemplateProcess, arguments: dict[str, Any], pipes: Sequence[int], heartbeat: Heartbeat) -> int:
    try:
        return template.fork(arguments, pipes, heartbeat)
    except BaseException:
        _end()
        raise


def _end() -> None:
    global _template
    ended, _template = _template, None
    if ended:
        ended.end()


def _forget() -> None:
    """In a fork of this process, which is not the template's parent, and may have inherited a lock that is held."""
    global _template, _lock
    forgotten, _template, _lock = _template, None, threading.Lock()
    if forgotten:
        forgotten.forget()


os.register_at_fork(after_in_child=_forget)
atexit.register(close)


@contextmanager
def _held(heartbeat: Heartbeat) -> Iterator[None]:
    lock = _lock
    while not lock.acquire(timeout=_SLICE_S):
        heartbeat()
    try:
        yield
    finally:
        lock.release()
