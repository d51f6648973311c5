"""The pipeline and nothing else: renders one picture so many times, in this process, without sandbox or worker.

`python -m bench.peers.whole PICTURE COUNT`: says that it is ready after a first render, begins at a line of input, and
prints its processor time in seconds, that of the renders alone.
"""

import ctypes
import hashlib
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from media_jobs.pipeline.readers import vips
from media_jobs.pipeline.recipes import GALLFORMERS
from media_jobs.pipeline.render import render
from media_jobs.pipeline.values import Request


def main(picture: Path, count: int) -> None:
    vips.lock()
    trim = ctypes.CDLL(None).malloc_trim  # the sandbox starts each render with a trimmed heap, too
    with TemporaryDirectory() as folder:
        source_sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
        request = Request(str(picture), folder, source_sha256, GALLFORMERS)
        render(request)
        print("ready", flush=True)
        sys.stdin.readline()
        began_s = time.process_time()
        for _ in range(count):
            trim(0)
            render(request)
        print(time.process_time() - began_s, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
