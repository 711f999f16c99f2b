"""The effective config, each value with the place it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mspterm.config.example import toml
from mspterm.config.load import Loaded, Setting


def rows(loaded: Loaded) -> list[dict[str, Any]]:
    """One `{key, value, source}` for every setting, for `--json`; source is FILE:LINE or "default"."""
    return [
        {"key": setting.key, "value": _plain(setting.value), "source": _source(setting, loaded.config.source)}
        for setting in loaded.settings
    ]


def text(loaded: Loaded) -> str:
    """The same for people, one `key = value  # source` a line."""
    pairs = [
        (f"{s.key} = {toml(_plain(s.value))}", _source(s, loaded.config.source)) for s in loaded.settings
    ]
    width = max((len(setting) for setting, _ in pairs), default=0)
    return "\n".join(f"{setting:{min(width, 60)}}  # {source}" for setting, source in pairs)


def _source(setting: Setting, file: Path | None) -> str:
    where = setting.file or file
    return "default" if setting.line is None or where is None else f"{where}:{setting.line}"


def _plain(value: Any) -> Any:
    """The value in JSON's types."""
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
