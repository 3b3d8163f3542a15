"""Where log lines go and how they look: JSON for machines, short lines on a terminal, always on standard error.

Lines of structlog, of `logging` and of the libraries take the same way and pass one redaction: nobody who logs needs
to think of it.
"""

import logging
import sys
from typing import Final, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from heliograph.ops.redaction import redacted_fields

_OWN_WAYS: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "aiohttp.access")
"""Loggers that libraries like to give handlers of their own."""

_SHARED: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
)


def configure(level: str, *, as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Send every log line of the process through one place.

    level: debug, info, warning or error. as_json: None looks whether a person is watching. stream: in place of
    standard error.
    """
    out = stream or sys.stderr
    is_watched = out.isatty()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(as_json=not is_watched if as_json is None else as_json, colours=is_watched))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _OWN_WAYS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def formatter(*, as_json: bool, colours: bool = False) -> logging.Formatter:
    """Makes a written line of a record; the redaction comes before the line is put together."""
    return ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, ExtraAdder(), _without_colours],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _Redaction(),
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _for_people(colours),
        ],
    )


def _without_colours(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """uvicorn gives every line a second time, with the codes that colour a terminal."""
    fields.pop("color_message", None)
    return fields


def _for_people(colours: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colours, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )


class _Redaction:
    """Hides what no line may show; see `redaction`."""

    def __call__(self, _logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
        return redacted_fields(fields)
