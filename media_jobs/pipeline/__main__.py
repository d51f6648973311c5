"""Entry of the sandboxed process: `python -I …/pipeline/__main__.py MEMORY_BYTES PARENT_PID`.

Run by its path, because an isolated Python does not look for modules in the working directory.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from media_jobs.pipeline.child import loop

    loop.main(memory_bytes=int(sys.argv[1]), parent_pid=int(sys.argv[2]))
