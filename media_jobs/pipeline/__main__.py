"""Entry of the sandboxed process: `python -I …/pipeline/__main__.py '{"memory_bytes": …, "parent_pid": …, …}'`.

The argument is `loop.main`'s, as JSON. Run by its path, because an isolated Python does not look for modules in the
working directory.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from media_jobs.pipeline.child import loop

    loop.main(**json.loads(sys.argv[1]))
