import argparse
import hashlib
import json
import shutil
import signal
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.errors import EmptyFile, FileTooLarge, ImageRefused, MediaError
from media_jobs.pipeline.recipes import SHIPPED
from media_jobs.pipeline.values import FACTS, RIGHTS_NAMES, Focus, Keep, Limits, Overrides, Rendered, Request, Usage
from media_jobs.services.originals import keep_by_default

PRESETS = {preset.name: preset for preset in SHIPPED}
TIMEOUT_S = 120
#: Each option of the command line, and the switch of `Keep` that it sets.
KEEP_OPTIONS = {
    "--keep-timestamps": "timestamps",
    "--keep-camera": "camera_info",
    "--keep-gps": "gps",
    "--keep-serial": "device_serial",
}
FAILED, REFUSED = 1, 2

Progress = Callable[[int, int], None]


class Command(BaseCommand):
    help = (
        "Makes the derivatives of one picture: no server, no database. Each goes to DIR/RENDITION.EXTENSION and "
        "replaces a file of that name; nothing is written unless all succeeded. Exit code 0: done; 2: refused, the "
        "file itself is the reason and the code says which; 1: everything else."
    )
    requires_system_checks = []  # they ask for a database

    def run_from_argv(self, argv: list[str]) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):  # an end that clears away what was begun
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        super().run_from_argv(argv)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        leave = parser.exit
        # Of itself a wrong call ends with 2, which is for files that are refused.
        parser.exit = lambda status=0, message=None: leave(status and FAILED, message)  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="SRC", help="the picture")
        parser.add_argument("--preset", required=True, choices=PRESETS, help="which derivatives to make")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where they go; made if need be")
        parser.add_argument("--json", action="store_true", help="print all that is known of the picture as JSON")
        text = "degrees clockwise, on top of what the file says itself"
        parser.add_argument("--rotate", type=int, default=0, choices=(0, 90, 180, 270), help=text)
        text = "the point that square crops keep, as fractions of the displayed width and height: 0.5,0.3"
        parser.add_argument("--focus", type=_focus, metavar="X,Y", help=text)
        for option, switch in KEEP_OPTIONS.items():
            labels = ", ".join(fact.label for fact in FACTS.values() if fact.keep == switch)
            text = f"show {labels}; by default as PRESERVE_{switch.upper()} says. Derivatives never carry it"
            parser.add_argument(option, dest=switch, action=argparse.BooleanOptionalAction, help=text)

    def handle(self, **options: Any) -> None:
        try:
            rendered, usage = render(options, _show if sys.stderr.isatty() else _show_nothing)
        except MediaError as error:
            self._end(error, as_json=options["json"])
        except OSError as error:
            raise CommandError(f"{error.filename or options['source']}: {error.strerror or error}") from error
        text = json.dumps(as_json(rendered, usage), indent=2) if options["json"] else summary(rendered, usage)
        self.stdout.write(text)

    def _end(self, error: MediaError, *, as_json: bool) -> NoReturn:
        refused = isinstance(error, (ImageRefused, EmptyFile))
        if as_json:
            status = "refused" if refused else "error"
            self.stdout.write(json.dumps({"status": status, "code": error.code, "detail": str(error)}, indent=2))
        self.stderr.write(f"{error.code}: {error}")
        sys.exit(REFUSED if refused else FAILED)


def render(options: dict[str, Any], progress: Progress) -> tuple[Rendered, Usage | None]:
    """The picture's derivatives in `options["out"]`, or nothing there. Raises MediaError and OSError."""
    limits = Limits(
        bytes=max(settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES),
        pixels=settings.MAX_PIXELS,
        memory_bytes=settings.SANDBOX_MEMORY_BYTES,
        raw_preview_px=settings.RAW_MIN_PREVIEW_PX,
    )
    _check(options["source"], limits)
    out: Path = options["out"]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".render-", dir=out) as name:  # on one file system: moving is renaming
        folder = Path(name).resolve()
        source = folder / "source"
        # The decoder gets no other way to the picture than this copy.
        shutil.copyfile(options["source"], source)
        request = Request(
            source=str(source),
            into=str(folder),
            source_sha256=_sha256(source),
            preset=PRESETS[options["preset"]],
            limits=limits,
            keep=_keep(options),
            overrides=Overrides(options["rotate"], options["focus"]),
        )
        sandbox = Sandbox(settings.SANDBOX_MEMORY_BYTES, folder)
        try:
            rendered = sandbox.render(request, timeout_s=TIMEOUT_S, heartbeat=lambda: None, on_output=progress)
        finally:
            sandbox.close()
        for output in rendered.outputs:
            (folder / output.file).replace(out / output.file)
    return rendered, sandbox.usage


def _check(path: Path, limits: Limits) -> None:
    """Raises CommandError unless there is a file, EmptyFile, FileTooLarge."""
    if not path.exists():
        raise CommandError(f"{path}: there is no such file")
    if not path.is_file():
        raise CommandError(f"{path}: this is not a file")
    size_bytes = path.stat().st_size
    if not size_bytes:
        raise EmptyFile("The file is empty.")
    if size_bytes > limits.bytes:
        raise FileTooLarge(limit_bytes=limits.bytes)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(options: dict[str, Any]) -> Keep:
    chosen = {switch: options[switch] for switch in KEEP_OPTIONS.values() if options[switch] is not None}
    return replace(keep_by_default(), **chosen)


def _focus(text: str) -> Focus:
    try:
        x, y = (float(part) for part in text.split(","))
        return Focus(x, y)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: two numbers from 0 to 1, such as 0.5,0.3") from error


def as_json(rendered: Rendered, usage: Usage | None) -> dict[str, Any]:
    """The answer as JSON, with the field names of `GET /v1/images/{id}` as far as it has them."""
    return {
        "status": "done",
        "format": rendered.format,
        "width": rendered.width_px,
        "height": rendered.height_px,
        "orientation": rendered.orientation,
        "metadata": rendered.metadata,
        "rights": {name: getattr(rendered.rights, field) for field, name in RIGHTS_NAMES.items()},
        "receipt": asdict(rendered.receipt),
        "placeholder": asdict(rendered.placeholder),
        "derivatives": [
            {
                "name": output.name,
                "file": output.file,
                "width": output.width_px,
                "height": output.height_px,
                "bytes": output.size_bytes,
                "contentType": output.format.content_type,
                "sha256": output.sha256,
            }
            for output in rendered.outputs
        ],
        "engine": rendered.engine,
        "usage": usage and asdict(usage),
    }


def summary(rendered: Rendered, usage: Usage | None) -> str:
    """The answer for people, in a few lines."""
    size = f"{rendered.width_px:,} × {rendered.height_px:,}"
    lines = [f"{rendered.format} of {size}, orientation {rendered.orientation}"]
    width = max(len(output.file) for output in rendered.outputs)
    for output in rendered.outputs:
        size = f"{output.width_px:,} × {output.height_px:,}"
        lines.append(f"  {output.file:<{width}}  {size:>15}  {output.size_bytes:>11,} bytes")
    receipt = rendered.receipt
    lines.append(f"found    {len(receipt.found)} things besides the pixels")
    for word, names in (("kept", receipt.kept), ("dropped", receipt.dropped)):
        lines.append(listed(word, names))
    if usage:
        lines.append(f"took     {usage.wall_ms:,} ms, {usage.peak_bytes / 1_048_576:,.0f} MB of memory")
    return "\n".join(lines)


def listed(word: str, names: Sequence[str]) -> str:
    """A word and names as lines that break between names only."""
    text = ", ".join(name.replace(" ", "\xa0") for name in names) or "nothing"
    lines = textwrap.fill(text, 100, initial_indent=f"{word:<9}", subsequent_indent=" " * 9, break_on_hyphens=False)
    return lines.replace("\xa0", " ")


def _show(done: int, of: int) -> None:
    end = "\r" if done < of else "\r\x1b[K"  # the summary comes next
    print(f"{done} of {of} derivatives", end=end, file=sys.stderr, flush=True)


def _show_nothing(done: int, of: int) -> None:
    """There is no terminal to show it on."""
