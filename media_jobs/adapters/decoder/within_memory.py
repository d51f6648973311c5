"""Rendering within what is left of a host's memory: the decoder says what a picture needs, and that is waited for."""

from collections.abc import Callable
from dataclasses import replace

from media_jobs import errors
from media_jobs.adapters.decoder import template
from media_jobs.adapters.decoder.host_memory import HostMemory
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.workspace import translate_errors
from media_jobs.pipeline.values import Rendered, Request
from media_jobs.ports import Heartbeat

_MIB = 1_048_576
#: What a decoder takes before it has seen a picture, and the template that it is forked from.
_DECODER_BYTES, _TEMPLATE_BYTES = 10 * _MIB, 14 * _MIB
#: What it takes to look at a header, and to render what is small …
_SMALL_BYTES = 12 * _MIB
#: … and what is not worth a try.
_LEAST_BYTES = 4 * _MIB


def render_within(
    memory: HostMemory,
    sandbox: Sandbox,
    request: Request,
    *,
    timeout_s: float,
    heartbeat: Heartbeat,
    on_output: Callable[[int, int], None],
) -> Rendered:
    """Have `sandbox` render once the host has as much memory left as the picture needs. Raises what it raises.

    Where there never will be as much, it is tried all the same, as what a picture needs is an estimate: it gets what
    there is, or TooMuchMemory.
    """

    def ask(by_bytes: int, *, try_it: bool) -> Rendered:
        starting_bytes = 0 if sandbox.pid else _DECODER_BYTES + (0 if template.is_running() else _TEMPLATE_BYTES)
        with translate_errors(), memory.reserved(by_bytes + starting_bytes, sandbox.pid, heartbeat) as grant:
            left_bytes = grant.grown_bytes or 0
            if not grant.fits and left_bytes < starting_bytes + _LEAST_BYTES:
                raise errors.TooMuchMemory(needed_bytes=by_bytes + starting_bytes, limit_bytes=left_bytes)
            room: int | None = by_bytes if grant.fits else left_bytes - starting_bytes
            if grant.grown_bytes is None or (try_it and not grant.fits):
                room = None
            try:
                return sandbox.render(
                    replace(request, limits=replace(request.limits, room_bytes=room)),
                    timeout_s=timeout_s,
                    heartbeat=heartbeat,
                    on_output=on_output,
                    may_grow_bytes=None if grant.fits else left_bytes - starting_bytes,
                )
            except errors.TooMuchMemory as error:
                if grant.fits:
                    raise
                raise errors.TooMuchMemory(needed_bytes=by_bytes + starting_bytes, limit_bytes=left_bytes) from error

    try:
        return ask(_SMALL_BYTES, try_it=False)
    except errors.NeedsRoom as need:
        return ask(need.grown_bytes, try_it=True)
