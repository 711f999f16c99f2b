"""Themes: TOML files of colours by role, as Textual themes. A user's file may hold only what differs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.theme import Theme

from mspterm.domain.reasons import Reason, failed

SHIPPED = ("dark", "light", "contrast", "ansi16")
ROLES = (
    *("text", "muted", "ok", "warning", "breach", "failed", "new", "p1", "p2", "p3"),
    *("link", "selected", "cursor", "cursor-idle", "header", "bar"),
)
_KEYS = frozenset(
    {"primary", "secondary", "accent", "warning", "error", "success"}
    | {"foreground", "background", "surface", "panel", "boost"}
)
_TOP = frozenset({"inherits", "dark", "ansi", "colours", "variables", "roles"})


@dataclass
class ConsoleTheme(Theme):
    """A Textual theme with our styles by role. Each role's colours are CSS variables too:
    `$role-breach` and, where it has one, `$role-breach-background`."""

    roles: Mapping[str, Style] = field(default_factory=dict)


def theme_folder() -> Path:
    """Where the shipped themes are: inside the package in a wheel, beside it in a checkout."""
    # Not through importlib.resources: with it comes zipfile, before the first frame.
    package = Path(__file__).resolve().parents[1]
    packaged = package / "themes"
    return packaged if packaged.is_dir() else package.parent / "themes"


def load_theme(name: str, own: Path | None = None) -> ConsoleTheme:
    """The theme `name`: from the user's folder `own`, or else a shipped one.

    Raises Failed, with the file and the key, where it is not there or makes no sense.
    """
    try:
        return _built(name, _table(name, own, ()))
    except StyleSyntaxError as error:
        raise failed(Reason.BAD_DATA, f"Theme {name}: {error}; write it like 'bold #ff8787'.") from error


def theme_names(own: Path | None = None) -> tuple[str, ...]:
    """The shipped themes, then the user's own."""
    mine = sorted(p.stem for p in own.glob("*.toml")) if own is not None and own.is_dir() else []
    return (*SHIPPED, *(name for name in mine if name not in SHIPPED))


def roles_of(theme: Theme) -> Mapping[str, Style]:
    """The styles by role, also of one of Textual's own themes (then the dark or the light theme's)."""
    if isinstance(theme, ConsoleTheme):
        return theme.roles
    return load_theme("ansi16" if theme.ansi else "dark" if theme.dark else "light").roles


def _table(name: str, own: Path | None, seen: tuple[str, ...]) -> dict[str, Any]:
    """The file's table laid over the one that it inherits from. A user's `dark` may inherit `dark`."""
    if own is not None and (own / f"{name}.toml").is_file() and name not in seen:
        table, source = _read(own / f"{name}.toml"), str(own / f"{name}.toml")
        base = str(table.pop("inherits", "dark"))
        if base in (*seen, name) and base not in SHIPPED:
            raise failed(Reason.BAD_DATA, f"{source}: themes inherit from each other; end at a shipped one.")
        return _over(_table(base, own, (*seen, name)), table, source)
    shipped = theme_folder() / f"{name}.toml"
    if name not in SHIPPED or not shipped.is_file():
        raise failed(
            Reason.NOT_FOUND, f"There is no theme {name!r}; choose one of {', '.join(theme_names(own))}."
        )
    return _read(shipped)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise failed(Reason.BAD_DATA, f"{path}: {error}.") from error


def _over(base: dict[str, Any], own: dict[str, Any], source: str) -> dict[str, Any]:
    for key in own.keys() - _TOP:
        raise failed(Reason.BAD_DATA, f"{source}: unknown key {key}; known are {', '.join(sorted(_TOP))}.")
    for table, known in (("colours", _KEYS), ("roles", frozenset(ROLES))):
        for key in own.get(table, {}).keys() - known:
            raise failed(
                Reason.BAD_DATA, f"{source}: unknown {table}.{key}; known are {', '.join(sorted(known))}."
            )
    merged = {**base, **own}
    for table in ("colours", "variables", "roles"):
        merged[table] = {**base.get(table, {}), **own.get(table, {})}
    return merged


def _built(name: str, table: dict[str, Any]) -> ConsoleTheme:
    roles = {role: Style.parse(table["roles"].get(role, "")) for role in ROLES}
    return ConsoleTheme(
        name=name,
        **table["colours"],
        dark=bool(table.get("dark", True)),
        ansi=bool(table.get("ansi", False)),
        variables={**table.get("variables", {}), **_variables(roles)},
        roles=roles,
    )


def _variables(roles: Mapping[str, Style]) -> dict[str, str]:
    named = {}
    for role, style in roles.items():
        named[f"role-{role}"] = _css(style.color) if style.color else "ansi_default"
        ground = style.bgcolor or roles["text"].bgcolor
        named[f"role-{role}-background"] = _css(ground) if ground else "ansi_default"
    return named


def _css(colour: Any) -> str:
    if colour.triplet is not None:
        return str(colour.triplet.hex)
    return f"ansi_{colour.name.removeprefix('ansi_')}"
