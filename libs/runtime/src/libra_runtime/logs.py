"""Logs of a process: words on a terminal, JSON lines otherwise, on standard error.

Logging never waits for who reads: see `outlet`.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

from libra_runtime.outlet import install
from libra_runtime.plain import FORMAT, FORMATS, Plain, is_text, words

_SPEAKER: list[str] = []


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def speaker() -> str:
    """Name this process as its logs do, "" where it has none: `health of a`."""
    return _SPEAKER[0] if _SPEAKER else ""


def configure(service: str, node: str, level: str = "info") -> None:
    """Set structlog up for this process; every line carries *service* and *node*."""
    import structlog  # noqa: PLC0415 - 0.1 s of imports that the VRRP machine never needs

    _SPEAKER[:] = [f"{service} of {node}"]
    install(Plain(service, node).note)
    is_level = level.upper() in _LEVELS
    threshold = logging.getLevelNamesMapping()[level.upper()] if is_level else logging.INFO

    def name(_: object, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {"service": service, "node": node, **line}

    processors: list[structlog.typing.Processor] = [
        name,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if is_text():
        processors += [structlog.processors.format_exc_info, _in_words]
    else:
        processors += [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    if not is_level:
        known = ", ".join(each.lower() for each in _LEVELS)
        note("LIBRA_LOG is no level of logs, going by info", given=level, known=known)
    if (given := os.environ.get(FORMAT, "")) not in ("", *FORMATS):
        note(f"{FORMAT} is no format of logs, going by the terminal", given=given)


def _in_words(_: object, __: str, line: MutableMapping[str, Any]) -> str:
    return words(line)


def note(event: str, **facts: object) -> None:
    """Log a fact of the edge at warning level, where this process has logging set up."""
    structlog = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        structlog.get_logger().warning(event, **facts)
