"""The journal: append-only JSON Lines of every intent and outcome, chained by a keyed hash.

A plain hash chain proves nothing against someone with the file, so each record's `h` is an
HMAC-SHA256 over the record and the one before it, where a key exists; without one the record
says `"keyed": false`. One file a month, one lock for all processes.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mspterm.desk.locked import locked
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """What one record says; ticket text is never in it, only what the plan's hash stands for."""

    action: str
    refs: tuple[str, ...]
    client: str | None
    state: str
    reason: str | None
    intent_id: str | None
    plan_hash: str | None
    identity: str | None


class Journal:
    """Appends to `STATE_DIR/journal/YYYY-MM.jsonl`."""

    def __init__(self, folder: Path, key: Secret | None, technician: str | None) -> None:
        self._folder = folder
        self._key = key
        self._technician = technician or getpass.getuser()

    @property
    def keyed(self) -> bool:
        return self._key is not None

    def append(self, entry: Entry, now: datetime) -> None:
        """Writes one record to disk before returning. Raises Failed where that can't be done."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._folder / "lock"):
                self._write(entry, now)
        except OSError as error:
            sentence = f"The journal in {self._folder} can't be written ({error}), so nothing is done."
            raise failed(Reason.REFUSED, sentence) from error

    def _write(self, entry: Entry, now: datetime) -> None:
        last = self._last()
        record: dict[str, Any] = {
            "seq": 1 if last is None else last["seq"] + 1,
            "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "technician": self._technician,
            "identity": entry.identity,
            "action": entry.action,
            "refs": list(entry.refs),
            "client": entry.client,
            "state": entry.state,
            "reason": entry.reason,
            "intent_id": entry.intent_id,
            "plan_hash": entry.plan_hash,
            "host": socket.gethostname(),
            "uid": os.getuid() if hasattr(os, "getuid") else None,
            "pid": os.getpid(),
            "keyed": self.keyed,
            "prev": GENESIS if last is None else last["h"],
        }
        record["h"] = digest(record, self._key)
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n"
        path = self._folder / f"{now:%Y-%m}.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def _last(self) -> dict[str, Any] | None:
        for path in reversed(self.files()):
            lines = _tail(path)
            if lines:
                try:
                    found = json.loads(lines[-1])
                    return {"seq": int(found["seq"]), "h": str(found["h"])}
                except (ValueError, KeyError, TypeError) as error:
                    sentence = (
                        f"The journal's last record in {path} can't be read; see `mspterm audit verify`."
                    )
                    raise failed(Reason.BAD_DATA, sentence) from error
        return None

    def files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.jsonl"))

    def records(self) -> Iterator[tuple[Path, int, str]]:
        """Every line with its file and number, oldest first."""
        for path in self.files():
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    yield path, number, line

    def verify(self) -> Verification:
        """Walks the whole chain; stops at the first bad record."""
        return verify(self.records(), self._key)


@dataclass(frozen=True, slots=True)
class Verification:
    """`bad` names the first bad record; `checked` counts good ones; `unkeyed` those without a key."""

    checked: int
    unkeyed: int
    bad: str | None = None
    needs_key: bool = False


def digest(record: dict[str, Any], key: Secret | None) -> str:
    """The record's hash: HMAC-SHA256 with the key, else plain SHA-256."""
    core = {k: v for k, v in record.items() if k != "h"}
    data = json.dumps(core, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    if key is None:
        return hashlib.sha256(data).hexdigest()
    return hmac.new(bytes.fromhex(key.reveal()), data, hashlib.sha256).hexdigest()


def verify(records: Iterator[tuple[Path, int, str]], key: Secret | None) -> Verification:
    checked = unkeyed = 0
    previous, sequence = GENESIS, 0
    for path, number, line in records:
        where = f"{path.name} line {number}"
        try:
            record = json.loads(line)
            keyed = bool(record["keyed"])
            if keyed and key is None:
                return Verification(checked, unkeyed, None, needs_key=True)
            good = hmac.compare_digest(record["h"], digest(record, key if keyed else None))
            if not good or record["prev"] != previous or record["seq"] != sequence + 1:
                return Verification(checked, unkeyed, f"{where}, seq {record['seq']}")
        except (ValueError, KeyError, TypeError):
            return Verification(checked, unkeyed, f"{where}, not a record")
        previous, sequence = record["h"], record["seq"]
        checked += 1
        unkeyed += not keyed
    return Verification(checked, unkeyed)


def _tail(path: Path) -> list[bytes]:
    """The last lines of a file, without reading all of it."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - 65536))
        return file.read().splitlines()
