"""Entry of the sandboxed processes: `python -I …/pipeline/__main__.py '{…}'`.

The argument is that of `template.begin`, as JSON. Run by its path, because an isolated Python does not look for modules
in the working directory.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from media_jobs.pipeline.child import template

    template.begin(json.loads(sys.argv[1]))
