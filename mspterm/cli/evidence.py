"""The journal as compliance evidence: every key of a record, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

COLUMNS = (
    "seq", "at", "technician", "identity", "action", "refs", "client", "state", "reason", "intent_id",
    "plan_hash", "text_hash", "text", "host", "uid", "sudo_user", "from", "pid", "session", "more", "keyed",
    "prev", "h",
)  # fmt: skip


def as_json(records: Sequence[dict[str, Any]]) -> str:
    """A record as it is, so that its `h` can be made again (`journal.record.digest`): of all of it but `h`
    itself, and but a `text` that is null, as the record has none."""
    rows = [{column: record.get(column) for column in COLUMNS} for record in records]
    return json.dumps(rows, ensure_ascii=True, indent=1) + "\n"


def as_csv(records: Sequence[dict[str, Any]]) -> str:
    """RFC 4180, UTF-8, a header line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(record.get(column)) for column in COLUMNS] for record in records)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        value = "; ".join(f"{k}={v}" for k, v in value.items())
    text = str(value)
    # A spreadsheet would run what begins like a formula, and clients' names come from outside.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
