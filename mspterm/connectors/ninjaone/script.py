"""Scripts: which is meant, what NinjaOne answers to a run, and its result among the activities. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from mspterm.connectors.ninjaone import wire
from mspterm.connectors.ninjaone.mapping import instant

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_RUN_TYPES = frozenset({"SCRIPTING", "ACTION", "ACTIONSET", "SCHEDULED_TASK"})
_ENDED = frozenset({"COMPLETED", "CANCELLED", "BLOCKED"})
# No description names the field; all that are there are shown, in this order.
_OUTPUTS = ("output", "stdout", "scriptOutput", "result", "stderr", "message")


@dataclass(frozen=True, slots=True)
class Started:
    """What a run was answered with: the uid of its series, its first activity, or nothing at all."""

    uid: str | None = None
    activity: int | None = None


def chosen(scripts: Sequence[wire.Script], wanted: str) -> wire.Script | None:
    """The script that is meant by its id, its uid, or its whole name where one has it."""
    text = wanted.strip().casefold()
    # `and text`: a script without a uid would fit an empty word.
    by_id = [s for s in scripts if text in (str(s.id), (s.uid or "").casefold()) and text]
    named = [s for s in scripts if s.name.casefold() == text]
    found = by_id or named
    return found[0] if len(found) == 1 else None


def body(script: wire.Script, parameters: str, run_as: str) -> dict[str, Any]:
    """The field is `id`: `scriptId` is refused as unrecognised. `runAs` is in lower case."""
    which: dict[str, Any] = {"type": "ACTION", "uid": script.uid}
    if script.type != "ACTION":
        which = {"type": "SCRIPT", "id": script.id}
    return {**which, **({"parameters": parameters} if parameters else {}), "runAs": run_as}


def role(options: wire.ScriptOptions, run_as: str) -> str | None:
    """The credential role for system or user, as the device offers them; None where it has none."""
    roles = options.credentials.roles if options.credentials else []
    wanted = ("user", "logged") if run_as == "user" else ("system",)
    found = next((r for r in roles if any(word in r.lower() for word in wanted)), None)
    return found.lower() if found else ("system" if run_as == "system" else None)


def started(answer: bytes) -> Started:
    """The answer of a run varies: a number, an object, a uuid, or an empty 204."""
    try:
        found = msgspec.json.decode(answer)
    except msgspec.MsgspecError:
        found = answer.decode("utf-8", "replace")
    if isinstance(found, dict):
        values = [found.get(key) for key in ("jobUid", "seriesUid", "uid", "activityId", "id")]
        found = next((value for value in values if value), None)
    # A bool is an int too, and `true` is no activity.
    if isinstance(found, int) and not isinstance(found, bool):
        return Started(activity=found)
    match = _UUID.search(found) if isinstance(found, str) else None
    return Started(uid=match[0]) if match else Started()


def outcome(
    activities: Iterable[wire.Activity], begun: Started, script: wire.Script, since: datetime
) -> wire.Activity | None:
    """The activity that ends the run; None while it isn't there."""
    rows = list(activities)
    uid = begun.uid or next((a.series_uid for a in rows if a.id == begun.activity and a.series_uid), None)
    ended = [a for a in rows if a.status_code in _ENDED]
    # Then nothing else counts, even before it is there: another run of the script may have ended.
    if uid is not None:
        return next((a for a in ended if (a.series_uid or "").lower() == uid.lower()), None)
    return next((a for a in ended if _is_run(a, script, since)), None)


def _is_run(activity: wire.Activity, script: wire.Script, since: datetime) -> bool:
    at = instant(activity.activity_time)
    words = " ".join((activity.subject or "", activity.source_name or "", activity.message or "")).casefold()
    fresh = at is None or at >= since
    return activity.activity_type in _RUN_TYPES and fresh and script.name.casefold() in words


def output_of(activity: wire.Activity) -> str:
    """What a script wrote: it is in the activity's data, or only in its message."""
    return _text(activity.data) or activity.message or ""


def _text(data: Any, depth: int = 0) -> str:
    if isinstance(data, str):
        return data
    # The shape is nobody's promise; the depth bounds what an odd answer can make us walk.
    if not isinstance(data, dict) or depth > 3:
        return ""
    own = [data[key] for key in _OUTPUTS if isinstance(data.get(key), str) and data[key]]
    return "\n".join(own) or next((t for value in data.values() if (t := _deeper(value, depth))), "")


def _deeper(value: Any, depth: int) -> str:
    return _text(value, depth + 1) if isinstance(value, dict) else ""
