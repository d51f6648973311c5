"""`manage.py housekeeping --older-than 0`, again and again in one process: its start takes longer than the work."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.e2e.service import ROOT


class Housekeeper:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.world.housekeeper"],
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def keep_house(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        outcome = json.loads(self._process.stdout.readline())
        assert not outcome["error"], f"housekeeping failed: {outcome['error']}\n{outcome['output']}"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def housekeeper(env: Mapping[str, str]) -> Iterator[Housekeeper]:
    """One for the service with this environment."""
    made = Housekeeper(env)
    try:
        yield made
    finally:
        made.close()


def _serve() -> None:
    import django
    from django.core.management import CommandError, call_command
    from django.db import connection

    django.setup()
    for _ in sys.stdin:
        output, error = io.StringIO(), ""
        try:
            call_command("housekeeping", "--older-than", "0", stdout=output)
        except (CommandError, SystemExit) as ended:
            error = str(ended) or "no word"
        connection.close()
        print(json.dumps({"error": error, "output": output.getvalue()}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallimg_site.settings")
    _serve()
