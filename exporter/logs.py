"""Log lines with fields on standard error, as logfmt or JSON; what libraries log joins them."""

import logging
import sys
from typing import Any, Literal

import structlog

Logger = Any
"""structlog's bound loggers are typed by what they are configured to be."""

LEVELS = ("debug", "info", "warning", "error")
Format = Literal["logfmt", "json"]

_KEYS = ["timestamp", "level", "event"]


def configure(level: str, line_format: Format) -> None:
    """Send every log line of this process to standard error, from a level on."""
    renderer: Any = structlog.processors.JSONRenderer()
    if line_format == "logfmt":
        renderer = structlog.processors.LogfmtRenderer(
            key_order=_KEYS, drop_missing=True, bool_as_flag=False
        )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("exporter").setLevel(level.upper())


def get_logger() -> Logger:
    """Return the exporter's logger."""
    return structlog.get_logger("exporter")
