"""Values of the config file, checked and converted. Sentences never repeat an address's user part."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mspterm.config.keys import Key, Type

Spans = tuple[tuple[str, str], ...]

# The schema repeats those of times and keys for editors. 24:00 ends the last span of a day.
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_PERIOD = re.compile(r"(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)(?:: *(.+))?")
_PUBLIC_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Wrong(Exception):
    """A value that can't be used, with the sentence that says why and what to write instead."""


def convert(key: Key, value: Any, base: Path) -> Any:
    """The value of `key` in the form that the config model has. `base` is the file's directory.

    Raises Wrong.
    """
    return _CONVERTERS[key.type](key, value, base)


def nearest(word: str, known: list[str]) -> str:
    """` Did you mean "x"?`, or nothing where no known word is near."""
    # Imported where a word is wrong: a start with a file in order doesn't pay for it.
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def is_loopback(host: str | None) -> bool:
    """Whether a host, as written in an address, can only be this machine."""
    # By what is written, never by a lookup: a name server could lead credentials elsewhere.
    if host is None or host == "localhost":
        return host is not None
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _text(key: Key, value: Any, base: Path) -> str:
    if not isinstance(value, str):
        raise Wrong(f"must be text in quotes, not {_named(value)}.")
    if not value.strip():
        raise Wrong("must not be empty; leave the key out instead.")
    # A zero-width character pasted with a name is seen by nobody, and makes it match nothing.
    if any(not c.isprintable() for c in value if c != "\n"):
        raise Wrong("holds control or invisible characters; type it again.")
    return value


def _flag(key: Key, value: Any, base: Path) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {_named(value)}.")
    return value


def _count(key: Key, value: Any, base: Path) -> int:
    # `true` is an int to Python.
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"must be a whole number, not {_named(value)}.")
    _in_range(key, value)
    return value


def _seconds(key: Key, value: Any, base: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"must be a number of seconds, not {_named(value)}.")
    _in_range(key, value)
    return float(value)


def _in_range(key: Key, value: float) -> None:
    low, high = key.low, key.high
    # Written so that nan, which TOML has, is out of every range.
    if low is not None and high is not None and not low <= value <= high:
        raise Wrong(f"must be from {low:g} to {high:g}, not {value:g}.")


def _choice(key: Key, value: Any, base: Path) -> str:
    text = _text(key, value, base)
    if text not in key.choices:
        raise Wrong(f'must be {_either(key.choices)}, not "{text}".{nearest(text, list(key.choices))}')
    return text


def _path(key: Key, value: Any, base: Path) -> Path:
    try:
        # A relative path is meant from the file, wherever mspterm was started; `/` lets an absolute one be.
        return base / Path(_text(key, value, base)).expanduser()
    except RuntimeError:
        raise Wrong("names the home of a user that doesn't exist; write the whole path.") from None


def _url(key: Key, value: Any, base: Path) -> str:
    parts = _split(_text(key, value, base))
    # Before all other checks, so that no later sentence can repeat a password.
    if parts.username is not None or parts.password is not None:
        raise Wrong(
            "holds a user name or password before the @. Take it out of this file (and change it, if others "
            "could read the file), then store it with `mspterm auth login`."
        )
    clear = {"https": "http", "wss": "ws"}
    permitted = key.choices + tuple(clear[scheme] for scheme in key.choices)
    if parts.scheme not in permitted:
        raise Wrong(f"must start with {_either(tuple(f'{s}://' for s in key.choices))}.")
    if not parts.hostname:
        raise Wrong("names no host.")
    if parts.query or parts.fragment:
        raise Wrong("must end before any ? or #: give the server's address only.")
    if parts.scheme not in key.choices and not is_loopback(parts.hostname):
        raise Wrong(
            f"would send credentials in clear to {parts.hostname}: write {key.choices[0]}:// "
            f"({parts.scheme}:// is for this machine's own addresses only)."
        )
    return parts.geturl().rstrip("/")


def _proxy(key: Key, value: Any, base: Path) -> str:
    parts = _split(_text(key, value, base))
    if parts.username is not None or parts.password is not None:
        raise Wrong(
            "holds a user name or password before the @. Take it out of this file and use a proxy that asks "
            "for none, such as a relay on this machine that holds the credentials."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Wrong("must be a proxy's address, as http://HOST:PORT.")
    return parts.geturl().rstrip("/")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        # Asking is the check: `urlsplit` itself takes any port.
        port = parts.port
    except ValueError:
        raise Wrong("is no address: check its host and port.") from None
    # `urlsplit` drops a line feed inside an address without a word, so the text itself is looked at.
    if port == 0 or any(c.isspace() for c in text):
        raise Wrong("is no address: check its host and port.")
    return parts


def _names(key: Key, value: Any, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong(f'must be a list of texts, as ["..."], not {_named(value)}.')
    return tuple(_text(key, item, base) for item in value)


def _map_of(item: Callable[[Key, Any, Path], Any]) -> Callable[[Key, Any, Path], dict[str, Any]]:
    def converter(key: Key, value: Any, base: Path) -> dict[str, Any]:
        table = _table(value)
        for name in table:
            if key.names and not re.fullmatch(key.names.pattern, name):
                raise Wrong(f'"{name}" is not {key.names.says}.')
        return {name: _within(name, item, key, held, base) for name, held in table.items()}

    return converter


def _within(name: str, item: Callable[[Key, Any, Path], Any], key: Key, value: Any, base: Path) -> Any:
    try:
        return item(key, value, base)
    except Wrong as wrong:
        raise Wrong(f'at "{name}": {wrong}') from None


def _choices(key: Key, value: Any, base: Path) -> tuple[str, ...]:
    return tuple(_choice(key, item, base) for item in _names(key, value, base))


def _text_map(key: Key, value: Any, base: Path) -> dict[str, str]:
    for name in _table(value):
        if name not in key.choices:
            raise Wrong(f'"{name}" is not {_either(key.choices)}.{nearest(name, list(key.choices))}')
    return {name: _within(name, _text, key, held, base) for name, held in value.items()}


def _public_key(key: Key, value: Any, base: Path) -> str:
    text = _text(key, value, base)
    if not _PUBLIC_KEY.fullmatch(text):
        raise Wrong("must be an Ed25519 public key of 44 characters, as `mspterm approve --init` prints it.")
    return text


def _counts(key: Key, value: Any, base: Path) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise Wrong(f"must be a list of numbers, as [50, 100], not {_named(value)}.")
    return tuple(_count(key, item, base) for item in value)


def _goal(key: Key, value: Any, base: Path) -> str:
    from mspterm.domain.policy import goal_of

    return _readable(goal_of, _text(key, value, base))


def _lasting(key: Key, value: Any, base: Path) -> str:
    from mspterm.domain.policy import seconds_of

    return _readable(seconds_of, _text(key, value, base))


def _readable(read: Callable[[str], object], text: str) -> str:
    from mspterm.domain.reasons import Failed

    try:
        read(text)
    except Failed as error:
        raise Wrong(f"can't be read: {error.failure.sentence}.") from None
    return text


def _periods(key: Key, value: Any, base: Path) -> tuple[tuple[str, str, str], ...]:
    return tuple(_period(key, item, base) for item in _names(key, value, base))


def _period(key: Key, text: str, base: Path) -> tuple[str, str, str]:
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise Wrong(f'is no period: "{text}". Write one like "2026-12-18 to 2027-01-04: year end".')
    first, last = _date(key, found[1], base), _date(key, found[2], base)
    if last < first:
        raise Wrong(f"ends on {last}, before it begins on {first}.")
    return first, last, found[3] or ""


def _zone(key: Key, value: Any, base: Path) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    text = _text(key, value, base)
    try:
        ZoneInfo(text)
    # ValueError for a path as ../x, OSError for a folder of zones as Europe.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(f'is no time zone of this system: "{text}". Write one like "Europe/Berlin".') from None
    return text


def _week(key: Key, value: Any, base: Path) -> dict[str, Spans]:
    table = _table(value)
    for day in table:
        if day not in _WEEKDAYS:
            raise Wrong(f'"{day}" is no weekday: write mon to sun.')
    return {day: _within(day, _spans, key, spans, base) for day, spans in table.items()}


def _days(key: Key, value: Any, base: Path) -> dict[str, Spans]:
    return {
        _date(key, day, base): _within(day, _spans, key, spans, base) for day, spans in _table(value).items()
    }


def _dates(key: Key, value: Any, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong(f'must be a list of dates, as ["2026-12-25"], not {_named(value)}.')
    return tuple(_date(key, day, base) for day in value)


def _date(key: Key, value: Any, base: Path) -> str:
    from datetime import date

    try:
        # TOML has dates of its own, without quotes.
        # By its exact type, as a datetime is a date as well and says more than a day.
        return (value if type(value) is date else date.fromisoformat(value)).isoformat()
    except (TypeError, ValueError):
        raise Wrong(f"{_named(value)} is no date: write it as 2026-12-25.") from None


def _spans(key: Key, value: Any, base: Path) -> Spans:
    if not isinstance(value, list):
        raise Wrong('must be a list of hours, as [["09:00", "17:00"]].')
    return tuple(_span(item) for item in value)


def _span(value: Any) -> tuple[str, str]:
    if not (isinstance(value, list) and len(value) == 2 and all(_is_time(time) for time in value)):
        raise Wrong('must hold pairs of wall times, as ["09:00", "17:00"], up to 24:00.')
    # Compared as text, which is right only since both parts always have two digits.
    if value[0] >= value[1]:
        raise Wrong(f"{value[0]} to {value[1]} is no span: hours past midnight are two spans, on two days.")
    return value[0], value[1]


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table, as {{ name = value }}, not {_named(value)}.")
    return value


def _named(value: Any) -> str:
    """The type of a value, in TOML's words; the value itself might be a misplaced secret."""
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# One for each Type; `schema._type` holds the same list.
_CONVERTERS: dict[Type, Callable[[Key, Any, Path], Any]] = {
    Type.TEXT: _text,
    Type.FLAG: _flag,
    Type.COUNT: _count,
    Type.SECONDS: _seconds,
    Type.CHOICE: _choice,
    Type.URL: _url,
    Type.PROXY: _proxy,
    Type.PATH: _path,
    Type.NAMES: _names,
    Type.TEXT_MAP: _map_of(_text),
    Type.CHOICE_MAP: _map_of(_choice),
    Type.COUNT_MAP: _map_of(_count),
    Type.CHOICES_MAP: _map_of(_choices),
    Type.ZONE: _zone,
    Type.WEEK: _week,
    Type.DATES: _dates,
    Type.DAYS: _days,
    Type.DATE: _date,
    Type.PERIODS: _periods,
    Type.CHOICES: _choices,
    Type.COUNTS: _counts,
    Type.SPAN: _lasting,
    Type.SPAN_MAP: _map_of(_lasting),
    Type.GOAL_MAP: _map_of(_goal),
    Type.TEXT_MAPS: _map_of(_text_map),
    Type.KEY_MAP: _map_of(_public_key),
}
