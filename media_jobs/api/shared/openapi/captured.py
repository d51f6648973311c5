"""Real answers, which the document of the API shows as examples.

`tests/api/captured` asks the service for them and compares; `python -m tests.api.captured` writes them anew.
"""

import json
from pathlib import Path
from typing import Any

_ALL: dict[str, Any] = json.loads(Path(__file__).with_name("captured.json").read_bytes())

#: One problem document for each code that a request can meet.
PROBLEMS: dict[str, dict[str, Any]] = _ALL["problems"]
#: By the id of a call: what was sent, by its media type, and what came back, by its status. Each has a name and a text.
REQUESTS: dict[str, dict[str, dict[str, Any]]] = _ALL["requests"]
ANSWERS: dict[str, dict[str, dict[str, Any]]] = _ALL["answers"]
#: What receivers of webhooks got.
SENT: dict[str, Any] = _ALL["sent"]
