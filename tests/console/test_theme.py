"""Themes: readable, complete, found in a checkout and in a wheel, and half-written ones inherited."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style

from mspterm.console.theme import ROLES, SHIPPED, ConsoleTheme, load_theme, roles_of, theme_names
from mspterm.domain.reasons import Failed

ROOT = Path(__file__).resolve().parents[2]
READABLE = 4.5
"""WCAG 2.1 AA, success criterion 1.4.3."""
_GROUNDS = ("header", "bar", "cursor", "cursor-idle")


def luminance(colour: Color) -> float:
    assert colour.triplet is not None
    channels = [c / 255 for c in colour.triplet]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    light, dark = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_every_pair_of_text_and_background_is_readable(name: str) -> None:
    theme = load_theme(name)
    roles = theme.roles
    pairs = {ground: roles[ground] for ground in _GROUNDS}
    for role in ROLES:
        if role not in (*_GROUNDS, "selected"):
            pairs[role] = roles["text"] + roles[role]
            pairs[f"{role}, selected"] = pairs[role] + roles["selected"]
    foregrounds = ("foreground", "primary", "accent", "warning", "error", "success", "secondary")
    for text, ground in itertools.product(foregrounds, ("background", "surface", "panel")):
        pairs[f"{text} on {ground}"] = Style(color=getattr(theme, text), bgcolor=getattr(theme, ground))
    low = {pair: round(contrast(style), 2) for pair, style in pairs.items() if contrast(style) < READABLE}
    assert low == {}


def test_the_sixteen_colour_theme_names_only_the_terminals_own_colours() -> None:
    theme = load_theme("ansi16")
    assert theme.ansi
    for style in theme.roles.values():
        for colour in (style.color, style.bgcolor):
            assert colour is None or colour.is_system_defined or colour.is_default
    assert theme.roles["cursor"].reverse


@pytest.mark.parametrize("name", SHIPPED)
def test_breach_and_warning_differ_from_plain_text(name: str) -> None:
    roles = load_theme(name).roles
    looks = {roles["text"] + roles[role] for role in ("ok", "warning", "breach")}
    assert len(looks) == 3
    assert roles["breach"].bold


def write(folder: Path, name: str, text: str) -> Path:
    (folder / f"{name}.toml").write_text(text)
    return folder


def test_a_partial_theme_of_the_users_inherits_the_rest(tmp_path: Path) -> None:
    own = write(tmp_path, "mine", 'inherits = "light"\n[roles]\nbreach = "bold #7a0000"\n')
    mine, light = load_theme("mine", own), load_theme("light")
    assert mine.roles["breach"] == Style.parse("bold #7a0000")
    assert mine.variables["role-breach"] == "#7a0000"
    assert mine.roles["warning"] == light.roles["warning"]
    assert (mine.dark, mine.background) == (False, light.background)
    assert theme_names(own) == (*SHIPPED, "mine")


def test_a_users_theme_may_refine_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    own = write(tmp_path, "dark", '[colours]\nprimary = "#ffffff"\n')
    assert load_theme("dark", own).primary == "#ffffff"
    assert load_theme("dark", own).background == load_theme("dark").background


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[roles]\nbreech = "red"\n', "roles.breech"),
        ('[colours]\nprimry = "red"\n', "colours.primry"),
        ("shade = 1\n", "shade"),
        ("roles = [\n", "mine.toml"),
        ('[roles]\nbreach = "bold nosuchcolour"\n', "nosuchcolour"),
        ('inherits = "nowhere"\n', "nowhere"),
        ('inherits = "mine"\n', "inherit"),
    ],
)
def test_a_broken_theme_names_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    own = write(tmp_path, "mine", text)
    with pytest.raises(Failed, match=says):
        load_theme("mine", own)


def test_an_unknown_theme_names_the_known_ones() -> None:
    with pytest.raises(Failed, match="dark, light, contrast, ansi16"):
        load_theme("../../etc/passwd")


def test_textuals_own_themes_get_our_roles_too() -> None:
    bare = ConsoleTheme(name="bare", primary="#000000", roles=load_theme("dark").roles)
    assert roles_of(bare) is bare.roles


def test_a_wheel_holds_the_themes_and_finds_them(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, so no wheel can be built without the network")
    if not (ROOT / "README.md").exists():
        pytest.skip("no README yet, so no wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(tmp_path), str(ROOT)], check=True, timeout=100)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "from mspterm.console.theme import load_theme, theme_folder; print(theme_folder());"
        "[load_theme(n) for n in ('dark', 'light', 'contrast', 'ansi16')]"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str(tmp_path / "site" / "mspterm" / "themes")
