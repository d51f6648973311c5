"""The template: a process that has loaded what decoders need and is forked into one whenever its worker asks.

Descriptor 0 is a socket that keeps messages apart. A request is the arguments of `loop.main` as JSON, with three
descriptors: what the decoder gets for 0, 1 and 2. There are two answers: `{"pid"}` or `{"errno"}`, and then
`{"adopted": true}`: the decoder, if there is one, is the worker's own child. It ends with the worker, and never sees a
picture.
"""

import gc
import json
import os
import resource
import socket
import time
import traceback
from typing import Any

from media_jobs.pipeline.child import confine, loop

#: A request names a handful of folders.
_REQUEST_BYTES = 1 << 20
_STREAMS = (0, 1, 2)


def begin(arguments: dict[str, Any]) -> None:
    """Be a decoder, where the arguments are those of `loop.main`, or else the template for many, of `serve`."""
    if "writable" in arguments:
        loop.main(**arguments)
    else:
        serve(**arguments)


def serve(parent_pid: int) -> None:
    """Fork decoders until the worker is gone. Call it before a second thread starts, and before libvips is used."""
    worker = socket.socket(fileno=0)
    _load()
    confine.name_process("gallimg-template")
    confine.confine_template(parent_pid)
    gc.collect()
    gc.freeze()  # or each decoder's first collection would copy all that it shares with this process
    loop.trimmer()()
    _say(worker, {"ready": True})
    while True:
        request, descriptors, _, _ = socket.recv_fds(worker, _REQUEST_BYTES, len(_STREAMS))
        if not request:
            return
        _fork_twice(worker, json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _say(worker, {"adopted": True})


def _load() -> None:
    """What every picture takes. Libraries for rare formats stay out: they would be in the memory of all decoders."""
    import pyvips  # noqa: F401, PLC0415  (only here and in decoders)

    from media_jobs.pipeline import render  # noqa: F401, PLC0415
    from media_jobs.pipeline.readers import vips  # noqa: F401, PLC0415


def _fork_twice(worker: socket.socket, arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Return when the decoder's parent, a process in between, has ended: then its parent is the worker, who asked for
    the orphans among its descendants.
    """
    try:
        between = os.fork()
    except OSError as error:
        return _say(worker, {"errno": error.errno})
    if between:
        os.waitpid(between, 0)
        return None
    try:  # no fork returns to the loop above
        _in_between(worker, arguments, descriptors)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _in_between(worker: socket.socket, arguments: dict[str, Any], descriptors: list[int]) -> None:
    own = os.getpid()
    try:
        decoder = os.fork()
    except OSError as error:
        return _say(worker, {"errno": error.errno})
    if decoder:
        return _say(worker, {"pid": decoder})
    return _become_decoder(own, arguments, descriptors)


def _become_decoder(between: int, arguments: dict[str, Any], descriptors: list[int]) -> None:
    for descriptor, stream in zip(descriptors, _STREAMS, strict=True):
        os.dup2(descriptor, stream)
    os.closerange(len(_STREAMS), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    while os.getppid() == between:
        time.sleep(0.0005)
    os.setsid()  # from here on its worker ends it; before, it ends with the template
    confine.name_process("gallimg-decoder")
    [folder] = arguments["writable"]
    os.environ["TMPDIR"] = folder
    os.chdir(folder)
    confine.be_measured()
    loop.main(**arguments)


def _say(worker: socket.socket, answer: dict[str, Any]) -> None:
    try:
        worker.send(json.dumps(answer).encode())
    except BrokenPipeError:
        os._exit(0)  # the worker is gone
