"""Log records as one JSON object per line on standard output; decides nothing about what is logged."""

from __future__ import annotations

import datetime
import json
import logging
import sys

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    """A record's message, its `extra` values and, with an exception, the traceback."""

    def __init__(self, **constant: str):
        super().__init__()
        self._constant = constant

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._constant,
            **{name: value for name, value in vars(record).items() if name not in _PLAIN},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def log_to_stdout(level: str, **constant: str) -> None:
    """Send all records of `level` and above to standard output; `constant` is in every line."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONFormatter(**constant))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
