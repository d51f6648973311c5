"""Structured logs: one line of JSON per event, or short coloured text where a person watches a terminal."""

import logging
import logging.config
import re
import shutil
import sys
from io import StringIO
from typing import Any, TextIO

from media_jobs import keys
from media_jobs.optional_packages import without

with without("rich"):
    import structlog
    from structlog.dev import BRIGHT, CYAN, DIM, RED, RESET_ALL, YELLOW, Column, KeyValueColumnFormatter

_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR"}
_LETTERS = re.compile(r"(?P<colour>\x1b\[[0-9;]*m)|.", re.DOTALL)
_OURS = ("media_jobs", "gallimg_site")

#: Of one exception, the outermost and the innermost half; of a chain of them, as many of the first and of the last.
_MOST_FRAMES = 20
_MOST_EXCEPTIONS = 6
_MOST_CHARACTERS = 2_000
#: Of a traceback on a terminal.
_MOST_LINES = 120

#: Unless it is debug, names that people gave to their files are cut out of addresses: the last part of one that ends
#: as a picture's name does, and was not made by us.
_FILE_NAMES = re.compile(r"(?<=/)(?![0-9a-f-]{8,}\.)[^/?#\s]+(?=\.[A-Za-z0-9]{2,5}(?:[\s?#]|$))")
_QUERIES = re.compile(r"\?\S*")
#: Where PostgreSQL repeats values of a row.
_VALUES = re.compile(r"\n(DETAIL|CONTEXT|QUERY):.*", re.DOTALL)
#: Lines of a person's terminal are short: these are for who collects lines of many processes.
_OF_TRACES = ("trace_id", "span_id", "trace_flags", "request_id")

#: What signs links and forms, and tickets: they let their bearer read or store an object, or listen.
_SIGNATURES = re.compile(r"(?<=[?&])(ticket|token|X-Amz-[A-Za-z-]+)=[^&\s'>]+")

#: Of the link by which somebody sets a password, without being asked for one.
_WELCOMES = re.compile(r"(?<=/welcome/)[^/\s]+/[^/\s]+")


def unsigned(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Cut out of the addresses of requests what makes them keys."""
    for name in {"request", "path", "event"} & event.keys():
        event[name] = _WELCOMES.sub("…", _SIGNATURES.sub(r"\1=…", str(event[name])))
    return event


def impersonal(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Cut out what may be personal: searches and other queries, names of files, names that others gave to objects."""
    if "request" in event:
        event["request"] = _FILE_NAMES.sub("…", _QUERIES.sub("", str(event["request"])))
    if "path" in event:
        event["path"] = _FILE_NAMES.sub("…", str(event["path"]))
    if event.get("logger") == "django.request":  # a sentence with the address
        event["event"] = _FILE_NAMES.sub("…", str(event["event"]))
    if "key" in event and not keys.is_ours(str(event["key"])):
        event["key"] = "…"
    return event


class BoundedTracebacks:
    """Makes dictionaries of an exception and of those that it came of; never more than a log can hold.

    Without the values of local variables: passwords and keys are among them.
    """

    def __init__(self) -> None:
        self._transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=_MOST_FRAMES)

    def __call__(self, exc_info: structlog.typing.ExcInfo) -> list[dict[str, Any]]:
        found = self._transform(exc_info)
        half = _MOST_EXCEPTIONS // 2
        left_out = len(found) - 2 * half
        kept = found if left_out <= 0 else [*found[:half], *found[-half:]]
        for exception in kept:
            exception["exc_value"] = cut(_VALUES.sub("", exception["exc_value"]), _MOST_CHARACTERS)
            exception["exc_notes"] = [cut(note, _MOST_CHARACTERS) for note in exception.get("exc_notes", [])[:2]]
            exception["exceptions"] = []  # of a group: the first line tells how many
        if left_out > 0:
            kept[half]["left_out_before"] = left_out
        return kept


def bounded_traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback for a person, without its middle where it is long."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    lines = text.getvalue().splitlines(keepends=True)
    if len(lines) > _MOST_LINES:
        left_out = len(lines) - _MOST_LINES
        half = _MOST_LINES // 2
        lines = [*lines[:half], f"… {left_out} lines left out …\n", *lines[-half:]]
    stream.writelines(f"{cut(line.rstrip(), _MOST_CHARACTERS)}\n" for line in lines)


def cut(text: str, characters: int) -> str:
    """Return at most so many characters, with an ellipsis where there were more."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


class TerminalRenderer:
    """Renders an event for a person: time, name, fields, and the level where it is more than `info`.

    What is `info` stays on one line: it is cut at the terminal's width. Warnings and errors are shown whole.
    """

    def __init__(self) -> None:
        self._render = structlog.dev.ConsoleRenderer(
            columns=[
                Column("timestamp", KeyValueColumnFormatter(None, DIM, RESET_ALL, str)),
                Column("level", self._level),
                Column("event", KeyValueColumnFormatter(None, BRIGHT, RESET_ALL, str)),
                Column("", KeyValueColumnFormatter(CYAN, "", RESET_ALL, str)),
            ],
            exception_formatter=bounded_traceback,
            sort_keys=False,
        )

    def __call__(self, logger: object, method: str, event: structlog.types.EventDict) -> str:
        if str(event.get("logger")).startswith(_OURS):
            del event["logger"]
        for name in _OF_TRACES:
            event.pop(name, None)
        is_calm = event.get("level") in ("debug", "info")
        line = str(self._render(logger, method, event))
        return cropped(line, shutil.get_terminal_size().columns) if is_calm else line

    @staticmethod
    def _level(key: str, value: object) -> str:
        style = {"warning": YELLOW, "error": RED, "critical": RED}.get(str(value))
        return f"{style}{value}{RESET_ALL}" if style else ""


def cropped(line: str, columns: int) -> str:
    """Return as much of a line with colours as fits into so many columns, with an ellipsis where it was longer."""
    letters = [found for found in _LETTERS.finditer(line) if not found["colour"]]
    return line if len(letters) <= columns else f"{line[: letters[columns - 1].start()]}…{RESET_ALL}"


def configure(level: str) -> None:
    """Send structlog and the standard library's loggers through one formatter to stderr."""
    person = sys.stderr.isatty()
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if person else "iso", utc=True),
    ]
    # What `request_refused` says, these say twice more: too much for a terminal.
    repeating = {"level": "ERROR"} if person and level != "debug" else {}
    renderer: list[structlog.types.Processor] = (
        [TerminalRenderer()]
        if person
        else [structlog.processors.ExceptionRenderer(BoundedTracebacks()), structlog.processors.JSONRenderer()]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder()],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        unsigned,
                        *([] if level == "debug" else [impersonal]),
                        *renderer,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": _LEVELS[level]},
            "loggers": {
                # RQ logs of every job at INFO what the service's own events say better.
                "rq": {"level": "DEBUG" if level == "debug" else "WARNING"},
                "gunicorn": {"level": "DEBUG" if level == "debug" else "WARNING"},
                "django_structlog": {"level": "DEBUG" if level == "debug" else "WARNING", **repeating},
                # `request_refused` and `request_finished` say it, and not in a sentence with the address.
                "django.request": {"level": "DEBUG" if level == "debug" else "ERROR"},
                "axes": {"level": "ERROR"},  # `sign_in_failed` says it, without what was sent
                # Scanners name any host; `request_refused` says so.
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                "botocore": {"level": "WARNING"},
                "boto3": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
