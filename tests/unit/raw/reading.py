"""Asks for the preview of a raw file, in this process or in one that may load LibRaw."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from media_jobs import errors
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, raw_format, sniff
from media_jobs.pipeline.readers import raw

LEAST_PX = 640

_CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
from tests.unit.raw import reading
print(flush=True)
for line in sys.stdin:
    print(json.dumps(reading.as_json(reading.read(open(line.rstrip(), "rb").read()))), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The best preview, or the code and sentence of a refusal. number: how many would be tried."""

    jpeg: bytes = b""
    size_px: tuple[int, int] = (0, 0)
    tag: int = 0
    turn: int = 0
    number: int = 0
    code: str = ""
    sentence: str = ""
    libraw: bool = False  #: whether LibRaw or numpy is loaded


def read(data: bytes, least_px: int = LEAST_PX) -> Answer:
    """Whatever the tables name; a file without a preview in them would load LibRaw into this process."""
    with tempfile.TemporaryDirectory() as name:
        path, jpeg = Path(name) / "source", Path(name) / "jpeg"
        path.write_bytes(data)
        kind = sniff(data[:HEAD_BYTES]).format
        if kind == "tiff":
            kind = raw_format(data) or kind
        try:
            found = raw.previews(path, kind, least_px)
        except errors.ImageRefused as refusal:
            return Answer(code=refusal.code, sentence=str(refusal), libraw=_is_libraw_loaded())
        best = found[0]
        best.write(path, jpeg)
        loaded = _is_libraw_loaded()
        return Answer(jpeg.read_bytes(), best.size_px, best.tag, best.orientation, len(found), libraw=loaded)


def _is_libraw_loaded() -> bool:
    return "rawpy" in sys.modules or "numpy" in sys.modules


def as_json(answer: Answer) -> dict[str, object]:
    fields = {name: getattr(answer, name) for name in Answer.__slots__}
    return fields | {"jpeg": base64.b64encode(answer.jpeg).decode()}


class Child:
    """A process of its own, which may load LibRaw."""

    def __init__(self) -> None:
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
        )
        assert self.process.stdout
        self.process.stdout.readline()  # it is ready

    def read(self, data: bytes) -> Answer:
        assert self.process.stdin
        assert self.process.stdout
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            self.process.stdin.write(f"{file.name}\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        return Answer(**{**answer, "jpeg": base64.b64decode(answer["jpeg"]), "size_px": tuple(answer["size_px"])})

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
