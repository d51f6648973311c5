"""The Node tier of a site, with the module that it is given: `web_tier.mjs`."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import die_with_parent

_PROGRAM = Path(__file__).with_suffix(".mjs")


class Thrown(Exception):
    """What the module has thrown."""

    def __init__(self, said: dict[str, Any]) -> None:
        super().__init__(f"{said.get('code')}: {said['message']}")
        self.said = said


class WebTier:
    """Options are those of createImageService, acts those of the program; one is done after the other."""

    def __init__(self, **options: Any) -> None:
        self._process = subprocess.Popen(
            ["node", str(_PROGRAM), json.dumps(options)],
            env=os.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )

    def ask(self, act: str, **how: Any) -> Any:
        """Raises Thrown."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"act": act, **how}), file=self._process.stdin, flush=True)
        said = json.loads(self._process.stdout.readline())
        if "thrown" in said:
            raise Thrown(said["thrown"])
        return said["came"]

    def upload(self, path: Path, **how: Any) -> dict[str, Any]:
        return dict(self.ask("upload", path=str(path), **how))

    def errors(self) -> list[dict[str, Any]]:
        """What its hook was told since the last time."""
        return list(self.ask("seen")["errors"])

    def counts(self) -> dict[str, Any]:
        return dict(self.ask("seen")["counts"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def web_tier(**options: Any) -> Iterator[WebTier]:
    site = WebTier(**options)
    try:
        yield site
    finally:
        site.close()
