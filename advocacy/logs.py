"""Lines of the log: one record is one line, whatever stands in it, for people or for machines."""

import datetime as dt
import json
import logging

# A terminal would obey them, or begin a line.
_CONTROLS = {
    sign: f"\\x{sign:02x}" for sign in (*range(9), 11, 12, *range(14, 32), *range(0x7F, 0xA0))
} | {0x0D: "\\r", 0x0A: "\n    ", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class Line(logging.Formatter):
    """For people. A line break in what somebody sent cannot begin an entry of its own."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name there
        """UTC with its offset, wherever the machine stands (ASVS 16.2.2)."""
        del datefmt
        return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a trace below it, indented."""
        return super().format(record).translate(_CONTROLS)


class Json(logging.Formatter):
    """For machines: LOG_FORMAT=json."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object in one line."""
        entry = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "event", {}),  # ambassadors.security_log
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
