"""`python -m tests.corpus DIR`: exit code 1 when a file ended otherwise than its manifest says."""

import argparse
import sys
import tempfile
from pathlib import Path

import structlog

from tests.corpus import manifest
from tests.corpus.run import complaints, last_line, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("corpus", help=f"a directory with a {manifest.FILE_NAME} and the files that it names")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the derivatives in DIR, which must not exist")
    options = parser.parse_args()
    if not options.corpus:
        parser.error("CORPUS is not set; make corpus CORPUS=dir")
    try:
        entries = manifest.read(Path(options.corpus))
    except (OSError, KeyError, ValueError) as error:
        why = getattr(error, "strerror", None) or repr(error)
        parser.error(f"CORPUS: {Path(options.corpus) / manifest.FILE_NAME}: {why}")
    # Every failure is printed at the end, with the file's name.
    structlog.configure(processors=[_drop])
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        folder = Path(name)
        if options.keep:
            folder = options.keep.resolve()
            folder.mkdir(parents=True)
        verdicts = []
        for verdict in run(entries, folder):
            verdicts.append(verdict)
            _progress(len(verdicts), len(entries))
    for complaint in complaints(verdicts):
        print(complaint)
    print(last_line(verdicts))
    return 1 if complaints(verdicts) else 0


def _drop(*event: object) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {of}", end="" if done < of else "\r\x1b[K", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
