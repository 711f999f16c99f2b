"""One record: what it says, where it was made, and the hash that chains it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mspterm.domain.secret import Secret

GENESIS = "0" * 64
CHECKPOINT = "checkpoint"
JOURNAL = "journal"
"""The action of records in which the journal speaks of itself: `repaired` and `cut`."""
CUT = "cut"
REPAIRED = "repaired"
LONGEST_REASON = 2000

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record says. `text` is not written unless that was configured: only its keyed hash is,
    so that somebody who has the text can prove it. `more` is what else belongs on record, such as an approver."""

    action: str
    refs: tuple[str, ...]
    client: str | None
    state: str
    reason: str | None
    intent_id: str | None
    plan_hash: str | None
    identity: str | None
    text: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain: its number and its hash."""

    seq: int
    hash: str


def origin(technician: str) -> Record:
    """Who and from where, the same for every record of a process."""
    return {
        "technician": technician,
        "host": socket.gethostname(),
        "uid": os.getuid() if hasattr(os, "getuid") else None,
        "sudo_user": os.environ.get("SUDO_USER"),
        # Its first word is where the technician's own machine is: on a jump host the rest may be shared.
        "from": os.environ.get("SSH_CONNECTION", "").partition(" ")[0] or None,
        "pid": os.getpid(),
        "session": secrets.token_hex(4),
    }


def made(
    entry: Entry, after: Head, made_by: Record, key: Secret | None, now: datetime, *, texts: bool = False
) -> Record:
    """The record that follows `after`, hashed; with `texts` it holds the entry's own."""
    record: Record = {
        "seq": after.seq + 1,
        "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "identity": entry.identity,
        "action": entry.action,
        "refs": list(entry.refs),
        "client": entry.client,
        "state": entry.state,
        "reason": None if entry.reason is None else entry.reason[:LONGEST_REASON],
        "intent_id": entry.intent_id,
        "plan_hash": entry.plan_hash,
        "text_hash": None if entry.text is None else hashed(entry.text.encode(), key),
        **made_by,
        "more": dict(entry.more),
        "keyed": key is not None,
        "prev": after.hash,
    }
    if texts and entry.text is not None:
        record["text"] = entry.text
    if entry.action == CHECKPOINT:
        record[CHECKPOINT] = {"seq": after.seq, "head": after.hash, "count": after.seq}
    record["h"] = digest(record, key)
    return record


def line(record: Record) -> str:
    """The one form in which a record may stand in the file, without its newline."""
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"))


def digest(record: Record, key: Secret | None) -> str:
    """The record's hash: HMAC-SHA256 with the key, else plain SHA-256."""
    # Sorted here, not in the file: the hash must not hang on the order in which a reader keeps keys.
    core = {k: v for k, v in record.items() if k != "h"}
    return hashed(json.dumps(core, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode(), key)


def hashed(data: bytes, key: Secret | None) -> str:
    if key is None:
        return hashlib.sha256(data).hexdigest()
    return hmac.new(bytes.fromhex(key.reveal()), data, hashlib.sha256).hexdigest()
