"""Structured logs: one JSON object a line on standard error, with the request's id in it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

_role = ""
_put: Callable[[bytes], object] = lambda line: None  # noqa: E731 (until a role configures it)


def configure(role: str) -> None:
    """Log as `role`; libraries that use `logging` are heard from warnings up."""
    global _role, _put
    _role = role
    output = structlog.BytesLogger(sys.stderr.buffer)
    _put = output.msg
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format=f"{role} %(name)s: %(message)s", force=True)


def note(**event: object) -> None:
    """Write one event, whose level is `info`, as it is: for what is logged with every request,
    where structlog's processors would cost as much as a statement."""
    _put(_line(None, "info", {**event, "level": "info"}))


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    event["role"] = _role
    event["timestamp"] = datetime.now(UTC).isoformat()[:26] + "Z"
    return msgspec.json.encode(event, enc_hook=str)
