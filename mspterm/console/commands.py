"""The console's own command table, and the keys of every command as the config has them.

Footer, help, palette, bindings and docs/keys.md are made of this table and of the action table.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.keys import ASCII_KEY_NAMES, Keys

from mspterm.desk.actions import ACTIONS


class Where(StrEnum):
    """Which screen or part of one a command belongs to. Only the queue's and those for anywhere are
    bound by this table; the other parts bind their own, under the ids of this table."""

    QUEUE = "queue"
    LIST = "list"
    OPENED = "opened"
    TICKET = "ticket"
    TEXT = "text"
    PAGE = "page"
    ANYWHERE = "anywhere"
    OUTBOX = "outbox"
    DIALOG = "dialog"
    CHOICE = "choice"
    PLAN = "plan"
    TERMINAL = "terminal"


_TOGETHER = (
    {Where.QUEUE, Where.LIST, Where.ANYWHERE},
    {Where.OPENED, Where.TICKET, Where.TEXT, Where.ANYWHERE},
    {Where.PAGE, Where.TEXT, Where.ANYWHERE},
    {Where.OUTBOX, Where.PAGE},
    {Where.DIALOG, Where.CHOICE},
    {Where.DIALOG, Where.PLAN},
    {Where.TERMINAL},
)
"""What is on screen at the same time: the parts of a set must not share a key."""
# Panes whose commands have several keys: they can spare one to a command that the config gave it.
_GIVING = (Where.TICKET, Where.TEXT, Where.PAGE, Where.PLAN)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `keys` are Textual key names or single characters; `does` is the Textual action;
    `bar` its place in the key bar from the left (0: not in it; above 10: behind the actions)."""

    name: str
    title: str
    keys: tuple[str, ...]
    help: str
    where: Where
    does: str
    bar: int = 0
    binding_id: str = ""

    @property
    def id(self) -> str:
        return self.binding_id or self.name


def _list(name: str, title: str, keys: str, text: str, bar: int = 0) -> Command:
    return Command(name, title, tuple(keys.split()), text, Where.LIST, "", bar, f"list.{name}")


def _own(where: Where, name: str, id_: str, title: str, keys: str, text: str) -> Command:
    return Command(name, title, tuple(keys.split()), text, where, "", 0, id_)


def _queue(name: str, title: str, keys: str, text: str, bar: int = 0) -> Command:
    return Command(name, title, tuple(keys.split()), text, Where.QUEUE, name, bar)


def _anywhere(name: str, title: str, keys: str, text: str, bar: int = 0) -> Command:
    return Command(name, title, tuple(keys.split()), text, Where.ANYWHERE, f"app.{name}", bar)


COMMANDS: tuple[Command, ...] = (
    _list("down", "Down", "down j", "Next ticket"),
    _list("up", "Up", "up k", "Previous ticket"),
    _list("page_down", "Page down", "pagedown", "A page down"),
    _list("page_up", "Page up", "pageup", "A page up"),
    _list("first", "First", "home", "First ticket"),
    _list("last", "Last", "end", "Last ticket"),
    _list("open", "Open", "enter", "The ticket, with its conversation, client and devices", 11),
    _list(
        "unfold", "Unfold", "right", "Show the tickets of a storm, which is one row until then; Enter, too"
    ),
    _list("fold", "Fold", "left", "Make the storm one row again"),
    _list("mark", "Mark", "space", "Mark or unmark the ticket; actions then go to all that are marked", 12),
    _list("extend_down", "Mark down", "shift+down", "Mark from here down"),
    _list("extend_up", "Mark up", "shift+up", "Mark from here up"),
    _queue("mark_all", "Mark all", "A", "Mark every ticket that the view and the filter show"),
    _queue("back", "Back", "escape", "Undo the last narrowing: the marks, then the filter"),
    _queue(
        "filter",
        "Filter",
        "/",
        "Narrow the view while you type: client:oak p:1 owner:me !status:waiting words",
        4,
    ),
    _queue(
        "sort", "Sort", "o", "The next sort order: default, due, priority, updated, created, client, owner"
    ),
    _queue("next_view", "Next view", "tab ]", "The next view; 1 to 9 go straight to one"),
    _queue("previous_view", "Previous view", "shift+tab [", "The previous view"),
    _queue("seen", "Seen", "m", "Everything up to now has been seen: the marks for new go"),
    _queue("preview", "Preview", "p", "Show or hide the preview of the ticket under the cursor"),
    Command("close", "Back", ("escape", "left"), "Back to where you came from", Where.OPENED, "", 3),
    _own(Where.TICKET, "device", "ticket.device", "Device", "d", "The ticket's device"),
    _own(Where.TICKET, "unfold_text", "ticket.unfold", "Unfold", "v", "Unfold what is folded on screen"),
    _own(Where.TICKET, "unfold_all", "ticket.unfold_all", "Unfold all", "V", "Unfold all of it, or fold it"),
    _own(Where.TICKET, "ask", "ask", "Ask again", "f5 ctrl+r", "Ask the ticket's or the device's server"),
    _own(Where.TEXT, "text_down", "text.down", "Down", "down j", "Down two lines"),
    _own(Where.TEXT, "text_up", "text.up", "Up", "up k", "Up two lines"),
    _own(Where.TEXT, "text_page_down", "text.page_down", "Page down", "pagedown space", "A page down"),
    _own(Where.TEXT, "text_page_up", "text.page_up", "Page up", "pageup", "A page up"),
    _own(Where.TEXT, "text_first", "text.first", "Top", "home", "To the top"),
    _own(Where.TEXT, "text_last", "text.last", "Bottom", "end", "To the bottom"),
    _own(
        Where.PAGE, "close_page", "page.close", "Back", "escape q enter", "Leave help, messages and the like"
    ),
    _own(Where.OUTBOX, "outbox_down", "outbox.down", "Down", "down j", "The next write"),
    _own(Where.OUTBOX, "outbox_up", "outbox.up", "Up", "up k", "The write before"),
    _own(Where.OUTBOX, "outbox_again", "outbox.again", "Send again", "s", "What of it is not there; twice"),
    _own(Where.OUTBOX, "outbox_arrived", "outbox.arrived", "It arrived", "a", "You saw it there; twice"),
    _own(Where.OUTBOX, "outbox_drop", "outbox.drop", "Drop", "x", "Give it up for good; twice"),
    _own(Where.DIALOG, "send", "dialog.send", "Send", "ctrl+g ctrl+s", "Go on with what was filled in"),
    _own(Where.DIALOG, "cancel", "dialog.cancel", "Cancel", "escape", "Leave it; a text is kept"),
    _own(Where.DIALOG, "editor", "dialog.editor", "Editor", "ctrl+e", "Write the text in $EDITOR"),
    _own(Where.DIALOG, "yes", "confirm.yes", "Yes", "y", "Send what is confirmed without a phrase"),
    _own(
        Where.PLAN, "plan_down", "plan.down", "Down", "down j", "Down in the plan, then in what is at stake"
    ),
    _own(Where.PLAN, "plan_up", "plan.up", "Up", "up k", "Up again"),
    _own(Where.PLAN, "plan_page_down", "plan.page_down", "Page down", "pagedown space", "A page down"),
    _own(Where.PLAN, "plan_page_up", "plan.page_up", "Page up", "pageup", "A page up"),
    _own(Where.PLAN, "plan_first", "plan.first", "Top", "home", "To the top"),
    _own(Where.PLAN, "plan_last", "plan.last", "Bottom", "end", "To the bottom"),
    _own(Where.CHOICE, "next_choice", "field.next", "Next choice", "down", "The next of a field or a menu"),
    _own(Where.CHOICE, "previous_choice", "field.previous", "Previous choice", "up", "The one before"),
    _own(Where.TERMINAL, "leave_terminal", "terminal.leave", "Leave", "ctrl+]", "End a device's terminal"),
    _own(Where.TERMINAL, "terminal_up", "terminal.up", "Scroll up", "shift+pageup", "What has scrolled away"),
    _own(Where.TERMINAL, "terminal_down", "terminal.down", "Scroll down", "shift+pagedown", "Back down"),
    _queue("tour", "Tour", "h", "Show or put away the strip with the keys to start with"),
    _anywhere("next", "Next", "g", "The ticket to take next: goes there, says why, and claims it", 3),
    _anywhere("why", "Why here", "W", "Why the ticket stands where it does, and whether it is your next"),
    _anywhere("skip", "Skip", "z", "Set the ticket aside for the next key, with a reason, until it changes"),
    _anywhere("client", "Client", "i", "The client card: agreement, who decides, compliance, how to get in"),
    _anywhere(
        "enter", "Enter client", "E", "Work on this client's devices, for an hour: commands, restarts, SSH"
    ),
    _anywhere("copy", "Copy", "y", "Address, text or reference to the terminal's clipboard, or shown plain"),
    _anywhere("refresh", "Refresh", "R", "Ask every connection now"),
    _anywhere("connections", "Connections", "C %", "Each connection's state in whole sentences"),
    _anywhere("outbox", "Outbox", "O", "Writes that wait, failed or are uncertain, and what becomes of them"),
    _anywhere("messages", "Messages", "M", "What this console has told you since it started"),
    _anywhere("suspend_process", "To the shell", "ctrl+z", "Stop the console for a while: fg brings it back"),
    _anywhere("palette", "Menu", ": ctrl+p", "Find a command or an action by its name", 2),
    _anywhere("help", "Help", "?", "Every key", 1),
    _queue("quit", "Quit", "q", "Leave the console", 4),
)
VIEW_KEYS = "123456789"

KeyMap = Mapping[str, tuple[str, ...]]
"""Keys by command or action name."""


def default_keys() -> KeyMap:
    return {c.name: c.keys for c in COMMANDS} | {spec.name: (spec.key,) for spec in ACTIONS}


def places() -> Mapping[str, Where]:
    """Where each name's keys count; an action's count on every screen."""
    return {c.name: c.where for c in COMMANDS} | {spec.name: Where.ANYWHERE for spec in ACTIONS}


def key_map(remapped: Mapping[str, str]) -> tuple[KeyMap, list[str]]:
    """The keys with the config's `[keys]` laid over the defaults, and a sentence for each entry that
    can't be followed: its command keeps its default."""
    keys, problems = dict(default_keys()), []
    for name, text in remapped.items():
        wanted = tuple(part.strip() for part in text.split(",") if part.strip())
        wrong = _wrong(name, wanted)
        if wrong:
            problems.append(wrong)
        else:
            keys[name] = wanted
    # Ends: each round puts one name back to its default, and names at their default are not looked at.
    while clash := _clash(_given_way(keys, remapped), remapped):
        name, key, other = clash
        problems.append(
            f"[keys] {name}: {key} is {other}'s key already; {name} keeps {' '.join(default_keys()[name])}."
        )
        keys[name] = default_keys()[name]
    return _given_way(keys, remapped), problems


def _given_way(keys: KeyMap, remapped: Mapping[str, str]) -> KeyMap:
    """The keys where a pane's command with several of them leaves one to a command that was given it."""
    where, made = places(), dict(keys)
    changed = [name for name in remapped if name in keys and keys[name] != default_keys()[name]]
    for other in [name for name, at in where.items() if changed and at in _GIVING and name not in remapped]:
        rivals = (keys[name] for name in changed if _meet(where[name], where[other]))
        taken = {full_name(key) for rival in rivals for key in rival}
        kept = tuple(key for key in keys[other] if full_name(key) not in taken)
        # Never the last one: a command without a key is lost, and `_clash` tells of it instead.
        made[other] = kept or keys[other]
    return made


def _wrong(name: str, wanted: tuple[str, ...]) -> str | None:
    if name not in default_keys():
        from difflib import get_close_matches

        near = get_close_matches(name, default_keys(), 1)
        return f"[keys] {name}: there is no such command.{f' Did you mean {near[0]}?' if near else ''}"
    bad = next((key for key in wanted if not _known(key)), None)
    if bad is not None or not wanted:
        return f"[keys] {name}: {bad or 'nothing'} is no key; write one such as x, X, ctrl+x, f5 or space."
    return None


def _known(key: str) -> bool:
    """Whether a terminal can send it. ctrl+c stays what it is everywhere."""
    # The digits are fixed: views in the queue, [1] to [9] in a pane.
    if len(key) == 1:
        return key.isprintable() and key not in VIEW_KEYS
    *modifiers, base = key.split("+")
    names = (
        {k.value for k in Keys}
        | {f"f{n}" for n in range(1, 25)}
        | {*punctuation(), *ASCII_KEY_NAMES.values()}
    )
    return (
        key != "ctrl+c" and set(modifiers) <= {"ctrl", "alt", "shift"} and (len(base) == 1 or base in names)
    )


def _clash(keys: KeyMap, remapped: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The first remapped name whose key another command of the same screen has, with both."""
    where = places()
    for name in remapped:
        if name not in keys or keys[name] == default_keys()[name]:
            continue
        for other, others in keys.items():
            both = {full_name(k) for k in keys[name]} & {full_name(k) for k in others}
            if other != name and both and _meet(where[name], where[other]):
                return name, next(iter(both)), other
    return None


def _meet(one: Where, other: Where) -> bool:
    return any({one, other} <= together for together in _TOGETHER)


def full_name(key: str) -> str:
    """Textual's name of a key that may be written as its character: `]` or `ctrl+]`."""
    # A `+` alone is a key and holds no modifier.
    held, _, base = key.rpartition("+") if len(key) > 1 else ("", "", key)
    # Textual splits keys at commas, so that one has to go in by its name.
    made = next(iter(Binding.make_bindings([Binding(base if base != "," else "comma", "", "")])))
    return f"{held}+{made.key}" if held else made.key


@cache
def punctuation() -> Mapping[str, str]:
    """Textual's names of the keys that are neither letter nor digit, each with its character."""
    return {full_name(character): character for character in string.punctuation}


_SHOWN = {
    "escape": "Esc", "enter": "Enter", "space": "Space", "pagedown": "PgDn", "pageup": "PgUp", "home": "Home",
    "end": "End", "up": "Up", "down": "Down", "tab": "Tab", "left": "Left", "right": "Right",
}  # fmt: skip


def shown(key: str) -> str:
    """A key as a person reads it: `Ctrl+P`, `Esc`, `x`."""
    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    if modifiers:
        base = punctuation().get(base, base)
        return "+".join((*(m.capitalize() for m in modifiers), _SHOWN.get(base, base.upper())))
    return _SHOWN.get(base, base)


def bindings(places_: Iterable[Where], *, actions: bool = False) -> list[Binding]:
    """Bindings of the table's commands of some places, and of the actions, under their names as ids."""
    wanted = frozenset(places_)
    made = [
        Binding(",".join(map(full_name, c.keys)), c.does, c.title, show=False, id=c.id)
        for c in COMMANDS
        if c.where in wanted
    ]
    if actions:
        # Through the app, so that it works on every screen and asks what that one shows.
        made += [Binding(s.key, f"app.act('{s.name}')", s.title, show=False, id=s.name) for s in ACTIONS]
    return made


def key_of(app: App[Any], name: str) -> str:
    """The first key of a command, as this console has it."""
    keys: KeyMap = getattr(app, "command_keys", None) or default_keys()
    return keys[name][0]


def textual_keymap(keys: KeyMap) -> dict[str, str]:
    """What differs from the defaults, for `App.set_keymap`."""
    ids = {c.name: c.id for c in COMMANDS}
    # Only these: a keymap entry replaces all the keys of its binding.
    changed = {name: k for name, k in keys.items() if k != default_keys()[name]}
    return {ids.get(name, name): ",".join(full_name(k) for k in k_) for name, k_ in changed.items()}


def markdown() -> str:
    """docs/keys.md: `python -m mspterm.console.commands > docs/keys.md`."""
    lines = [
        "# Keys of the console",
        "",
        "Made from the command and action tables (`python -m mspterm.console.commands`). The name in the",
        'second column is the one for `[keys]` in the config: `claim = "ctrl+t"`, `sort = "z,ctrl+o"`.',
    ]
    for title, rows in sections(default_keys()):
        lines += ["", f"## {title}", "", "| key | name | what it does |", "|---|---|---|"]
        lines += [f"| {keys.replace('|', chr(92) + '|')} | `{name}` | {text} |" for keys, name, text in rows]
    lines += [
        "",
        "`1` to `9` go to a view; in an opened ticket, to what stands behind `[1]` to `[9]`. `Ctrl+C` leaves,",
        "too, where no text is being written.",
    ]
    return "\n".join(lines) + "\n"


def sections(keys: KeyMap) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Title and rows (keys, name, help) of each part of the help screen."""
    titles = {
        Where.LIST: "In the list", Where.QUEUE: "The queue", Where.OPENED: "An opened ticket or device",
        Where.TICKET: "In an opened ticket", Where.ANYWHERE: "Anywhere", Where.TEXT: "In a text",
        Where.PAGE: "Help, messages and the like", Where.OUTBOX: "In the outbox", Where.DIALOG: "In a dialog",
        Where.CHOICE: "In a field or a menu", Where.PLAN: "In a plan, before it is sent",
        Where.TERMINAL: "In a device's terminal",
    }  # fmt: skip
    acts = [(_keys(keys, s.name), s.name, f"{s.title}: {s.help}") for s in ACTIONS]
    found = [("Actions", acts)]
    for where, title in titles.items():
        rows = [(_keys(keys, c.name), c.name, f"{c.title}: {c.help}") for c in COMMANDS if c.where is where]
        found.append((title, rows))
    return found


def _keys(keys: KeyMap, name: str) -> str:
    return " ".join(shown(key) for key in keys[name])


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
