"""`sla eval`: one case of business-time arithmetic in, its result out, a JSON line each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from mspterm.domain.business import BusinessTime, Pause
from mspterm.domain.calendar import calendar_of
from mspterm.domain.reasons import Failed, Reason, failed

T = TypeVar("T")
Result = str | int | bool
_KEPT = 256
_compiled: dict[str, BusinessTime] = {}


def evaluate(case: Mapping[str, Any]) -> Result:
    """The result of a case in the shape of `sla_cases.json`: an instant in UTC, seconds, or yes or no.

    Raises Failed (bad data) with a sentence that names what is wrong with the case.
    """
    kind = _KINDS.get(str(case.get("kind")))
    if kind is None:
        raise _bad(f'the kind "{case.get("kind")}" is not one of {", ".join(_KINDS)}')
    return kind(_business(_value(case, "calendar", dict)), case)


def evaluate_line(line: str) -> str:
    """The answer to one line: `{"id", "result"}`, or `{"id", "error"}`; never raises."""
    ident = None
    try:
        case = json.loads(line)
        if not isinstance(case, dict):
            raise _bad("a case is an object")
        ident = case.get("id")
        return json.dumps({"id": ident, "result": evaluate(case)})
    # Before ValueError, of which it is one; without an object there is no id to answer with.
    except json.JSONDecodeError as error:
        return json.dumps({"id": None, "error": f"the line is not JSON: {error}"})
    except Failed as error:
        return json.dumps({"id": ident, "error": error.failure.sentence})
    # RecursionError: arrays nested thousands deep.
    except (ValueError, OverflowError, OSError, RecursionError) as error:
        return json.dumps({"id": ident, "error": f"a number or a date is out of range: {error}"})


def _business(table: Mapping[str, Any]) -> BusinessTime:
    # The text of a table costs a fifth of making its calendar anew.
    key = repr(table)
    found = _compiled.get(key)
    if found is None:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        found = _compiled[key] = BusinessTime(calendar_of(table))
    return found


def _due(business: BusinessTime, case: Mapping[str, Any]) -> Result:
    return _text(business.due(_at(case, "start"), _value(case, "duration_s", int), _pauses(case)))


def _elapsed(business: BusinessTime, case: Mapping[str, Any]) -> Result:
    return business.elapsed(_at(case, "start"), _at(case, "end"), _pauses(case))


def _is_open(business: BusinessTime, case: Mapping[str, Any]) -> Result:
    return business.is_open(_at(case, "start"))


def _business_days(business: BusinessTime, case: Mapping[str, Any]) -> Result:
    end_of_day, roll_first = bool(case.get("end_of_day")), bool(case.get("roll_first"))
    days = _value(case, "days", int)
    return _text(
        business.business_days(_at(case, "start"), days, end_of_day=end_of_day, roll_first=roll_first)
    )


_KINDS: Mapping[str, Callable[[BusinessTime, Mapping[str, Any]], Result]] = {
    "due": _due,
    "elapsed": _elapsed,
    "is_open": _is_open,
    "business_days": _business_days,
}


def _pauses(case: Mapping[str, Any]) -> list[Pause]:
    pairs = case.get("pauses") or ()
    try:
        return [(_instant(start), None if end is None else _instant(end)) for start, end in pairs]
    except (TypeError, ValueError) as error:
        raise _bad(
            '"pauses" are pairs of instants such as ["2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"]'
        ) from error


def _at(case: Mapping[str, Any], key: str) -> datetime:
    try:
        return _instant(case.get(key))
    except (TypeError, ValueError) as error:
        raise _bad(f'"{key}" is not an instant such as 2026-03-01T09:00:00Z') from error


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    # Without its offset it would be read in this machine's zone.
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at


def _value(case: Mapping[str, Any], key: str, kind: type[T]) -> T:
    found = case.get(key)
    # A bool is an int in Python, and no count of anything here.
    if isinstance(found, kind) and not isinstance(found, bool):
        return found
    raise _bad(f'the case has no "{key}" that is {"a table" if kind is dict else "a whole number"}')


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def _bad(sentence: str) -> Failed:
    return failed(Reason.BAD_DATA, sentence)
