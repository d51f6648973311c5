"""Structured logs: one line of JSON per event, or coloured text where a person watches."""

import logging
import logging.config
import re
import sys

import structlog

_LEVELS = {"debug": "DEBUG", "info": "INFO", "warn": "WARNING", "error": "ERROR"}

#: Without the values of local variables: passwords and keys are among them.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))

#: What signs links and forms: it lets its bearer read or store an object.
_SIGNATURES = re.compile(r"(?<=[?&])(token|X-Amz-[A-Za-z-]+)=[^&\s'>]+")


def unsigned(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """The addresses of requests without what makes them keys."""
    if "request" in event:
        event["request"] = _SIGNATURES.sub(r"\1=…", str(event["request"]))
    return event


def configure(level: str) -> None:
    """Send structlog and the standard library's loggers through one formatter to stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    person = sys.stderr.isatty()
    renderer: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if person
        else [_TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder()],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, unsigned, *renderer],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": _LEVELS[level]},
            "loggers": {
                # RQ tells of every job at INFO what the service's own events say better.
                "rq": {"level": "DEBUG" if level == "debug" else "WARNING"},
                "gunicorn": {"level": "DEBUG" if level == "debug" else "WARNING"},
                "django_structlog": {"level": "DEBUG" if level == "debug" else "WARNING"},
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
