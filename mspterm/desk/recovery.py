"""After a crash: what a dead process left half-way, and what outbox and journal don't agree on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mspterm.desk.desk import Desk
from mspterm.desk.journal import Entry, Journal
from mspterm.desk.recording import entry
from mspterm.desk.sending import LOOK, count_pending
from mspterm.domain.reasons import Failure, Reason
from mspterm.store.intents import Intent

MARK = "journal:agreed"
AGE = timedelta(minutes=1)
"""A living process puts its intent into the outbox right after it has put it into the journal."""
_ENDED = ("done", "failed", "refused", "cancelled", "uncertain")
_SAID = {"confirmed": "done", "sent": "done"}


def recover(desk: Desk) -> int:
    """What a process was sending when it died becomes uncertain; returns how many."""
    now, left = desk.now(), 0
    for intent in desk.store.intents.in_state("sending"):
        if not _orphan(desk, intent):
            continue
        sentence = f"unknown: mspterm ended while this was being sent; {LOOK}."
        left += desk.store.intents.move(intent.intent_id, "uncertain", sentence, now, expected="sending")
        count_pending(desk, intent)
    desk.store.intents.prune(now)
    return left


def _orphan(desk: Desk, intent: Intent) -> bool:
    sender = desk.store.intents.sender(intent.intent_id)
    return sender is None or not desk.presence.lives(sender)


def agree(desk: Desk, journal: Journal) -> None:
    """Gives every intent of the journal its outcome: the outbox's, where it has one."""
    start = desk.store.database.get(MARK) or ""
    last: dict[str, tuple[str, dict[str, Any]]] = {}
    end = start
    for before, after, record in journal.after(start):
        intent_id, end = record.get("intent_id"), after
        if intent_id:
            # The place of its first record stays: the mark must never pass one that is still open.
            last[intent_id] = (last[intent_id][0] if intent_id in last else before, record)
    # First: what ends here leaves `last`, so that no second outcome is recorded below.
    for intent in desk.store.intents.in_state("sent"):
        if _orphan(desk, intent):
            _finish(desk, journal, intent, last)
    still_open = [
        where
        for where, record in last.values()
        if record["state"] not in _ENDED and not _closed(desk, journal, record)
    ]
    mark = min(still_open, key=_place, default=end)
    # A start with nothing new on record writes nothing.
    if mark != start:
        desk.store.database.put(MARK, mark)


def _place(mark: str) -> tuple[str, int]:
    name, _, place = mark.partition(":")
    # Compared as numbers: as text, 10 would come before 9.
    return name, int(place)


def _finish(
    desk: Desk, journal: Journal, intent: Intent, last: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    """One that was done: into the journal, where it isn't, and then confirmed."""
    known = last.pop(intent.intent_id, None)
    if known is None or known[1]["state"] != "done":
        journal.append(entry(desk, intent, "done", None), desk.now())
    desk.store.intents.move(intent.intent_id, "confirmed", intent.reason, desk.now(), expected="sent")


def _closed(desk: Desk, journal: Journal, record: dict[str, Any]) -> bool:
    """Records the outcome that is missing; False where there is none yet."""
    intent = desk.store.intents.get(record["intent_id"])
    if intent is None:
        return _never_left(desk, journal, record)
    if intent.state in ("queued", "sending", "sent"):
        return False
    state = _SAID.get(intent.state, intent.state)
    journal.append(entry(desk, intent, state, intent.reason), desk.now())
    return True


def _never_left(desk: Desk, journal: Journal, record: dict[str, Any]) -> bool:
    at = datetime.fromisoformat(record["at"]).astimezone(UTC)
    if desk.now() - at < AGE:
        return False
    sentence = "mspterm ended before this was in the outbox: it was not sent, unless the store is a new one."
    reason = str(Failure(Reason.UNKNOWN, sentence))
    journal.append(
        Entry(
            record["action"], tuple(record["refs"]), record["client"], "failed", reason, record["intent_id"],
            record["plan_hash"], record["identity"],
        ),
        desk.now(),
    )  # fmt: skip
    return True
