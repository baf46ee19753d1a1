"""Lines of the log: one record is one line, whatever stands in it, for people or for machines."""

import datetime as dt
import json
import logging


class Line(logging.Formatter):
    """For people. A line break in what somebody sent cannot begin an entry of its own."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name there
        """UTC with its offset, wherever the machine stands (ASVS 16.2.2)."""
        del datefmt
        return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a trace below it, indented."""
        text = super().format(record)
        return text.replace("\r", "\\r").replace("\n", "\n    ")


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
