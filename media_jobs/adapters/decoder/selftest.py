"""Proves that the decoder can do its work on this machine, before the service says that it is ready."""

import compileall
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import structlog

from media_jobs import pipeline
from media_jobs.adapters.decoder import template
from media_jobs.adapters.decoder.sandbox import Readiness, Sandbox
from media_jobs.adapters.workspace import Workspace
from media_jobs.errors import MediaError, RawWithoutPreview, Undecodable, WorkspaceUnavailable
from media_jobs.pipeline import selftest as samples
from media_jobs.pipeline.recipes import Format
from media_jobs.pipeline.values import Limits, Request

log = structlog.get_logger(__name__)

_TIMEOUT_S = 20.0
_LIMITS = Limits(raw_preview_px=samples.SIDE_PX)
_ADVICE = "Install the packages of requirements.txt again, and look at SANDBOX_MEMORY_MB; the log above says more"


class DecoderUnusable(Exception):
    """Says what is missing and what to do about it, in one line."""


def selftest(memory_bytes: int, work_dir: Path) -> None:
    """Write and read one tiny picture of every format in a sandbox of its own; log what the kernel grants it.

    Raises DecoderUnusable. The child is thrown away: it has loaded every library there is. So is its template: this
    process may be about to fork workers, which have their own.
    """
    _compile()
    try:
        readiness, missing = _proved(memory_bytes, work_dir)
    except (OSError, WorkspaceUnavailable) as error:
        refused = error if isinstance(error, OSError) else error.__cause__
        where = getattr(refused, "filename", None) or work_dir
        why = getattr(refused, "strerror", None) or error
        raise DecoderUnusable(f"The decoder cannot use {where} ({why}). Look at GALLIMG_DATA") from error
    libvips = _dotted(readiness.libvips)
    if missing:
        raise DecoderUnusable(f"The decoder (libvips {libvips}) cannot {', '.join(missing)}. {_ADVICE}")
    log.info("sandbox_ready", libvips=libvips, **asdict(readiness.protection))
    if lacking := readiness.protection.missing:
        log.warning("sandbox_weaker", missing=lacking)


def _proved(memory_bytes: int, work_dir: Path) -> tuple[Readiness, list[str]]:
    """What a decoder says of itself, and what it cannot do."""
    workspace = Workspace(work_dir, f"selftest-{uuid4().hex}")
    sandbox = Sandbox(memory_bytes, workspace.path)
    try:
        return _started(sandbox), _Probe(sandbox, workspace.path).missing()
    finally:
        sandbox.close()
        template.close()
        workspace.close()


def _compile() -> None:
    """Have the child's code compiled: it may not write next to it, and would do it again at each start (0.1 s)."""
    if not sys.dont_write_bytecode:
        compileall.compile_dir(Path(pipeline.__file__).parent, quiet=2)  # quiet about folders that are read-only, too


def _started(sandbox: Sandbox) -> Readiness:
    try:
        readiness = sandbox.start()
    except MediaError as error:
        raise DecoderUnusable(f"The decoder does not start: {error} {_ADVICE}") from error
    if readiness.libvips < samples.OLDEST_LIBVIPS:
        found, needed = _dotted(readiness.libvips), _dotted(samples.OLDEST_LIBVIPS)
        raise DecoderUnusable(f"libvips is {found}, but at least {needed} is needed. {_ADVICE}")
    return readiness


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


class _Probe:
    """One run through all formats."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._missing: list[str] = []

    def missing(self) -> list[str]:
        """What the decoder cannot do; the log has the reasons."""
        written = {wanted.value: self._render("png", samples.png(), wanted) for wanted in samples.WRITTEN}
        found = {name: data for name, data in written.items() if data} | samples.given()
        if jpeg := written["jpeg"]:
            found["dng"] = samples.dng(jpeg)
        for name, data in found.items():
            self._render(name, data)
        return self._missing

    def _render(self, name: str, data: bytes, format: Format | None = None) -> bytes:
        """The sample `name` in `format`, where that is what is proved; empty when it could not be done."""
        doing = f"write {format}" if format else f"read {name}"
        source = self._folder / "sample"
        source.write_bytes(data)
        preset = samples.preset(format or Format.JPEG)
        request = Request(str(source), str(self._folder), "0" * 64, preset, _LIMITS)
        try:
            if name == "dng":
                self._ask_libraw(request)
            rendered = self._sandbox.render(request, timeout_s=_TIMEOUT_S, heartbeat=_nothing, on_output=_nothing)
            if rendered.format != name:
                raise Undecodable
        except MediaError as error:
            log.error("selftest_failed", doing=doing, why=str(error))
            self._missing.append(doing)
            return b""
        return (self._folder / rendered.outputs[0].file).read_bytes()

    def _ask_libraw(self, request: Request) -> None:
        """Have LibRaw loaded: it is asked for a larger preview where ours finds none, and there is none."""
        wanted = replace(request, limits=replace(_LIMITS, raw_preview_px=samples.SIDE_PX + 1))
        with suppress(RawWithoutPreview):
            self._sandbox.render(wanted, timeout_s=_TIMEOUT_S, heartbeat=_nothing, on_output=_nothing)


def _nothing(*_: int) -> None:
    """Ignore progress: the samples are tiny."""
