"""What an action would be done to, and why it can't be."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.screen import Screen

from mspterm.connectors.registry import manifest
from mspterm.console.main_screen import MainScreen
from mspterm.console.palette import Choice, Palette
from mspterm.console.session import Session
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import ActionSpec

_ALL = "all devices"

Targets = tuple[tuple[str, ...], str | None]
"""Refs, and the ticket that output goes to."""


def unavailable(session: Session, screen: Screen[Any] | None, spec: ActionSpec) -> str | None:
    """Why the action can't be done on what the screen shows; None where it can."""
    return unavailable_for(session, shown_refs(screen), spec)


def unavailable_for(session: Session, refs: tuple[str, ...], spec: ActionSpec) -> str | None:
    """Why the action can't be done on these; None where it can."""
    if session.running is None:
        return "the console is still starting"
    forbidden = forbidden_for(session, refs, spec)
    # Before all else: under a rule no other reason may look like something to mend.
    if forbidden is not None:
        return forbidden
    if spec.scope == "none":
        return _no_connection(session, spec, session.running.desk.serving("psa"))
    if not refs:
        return "no ticket is chosen"
    if spec.scope == "device":
        if not session.running.desk.serving("rmm"):
            return "no RMM is configured"
        return None if devices_of(session, refs) else "no RMM knows a device of this ticket"
    if not spec.many and len(refs) > 1:
        return f"one ticket at a time, and {len(refs)} are marked"
    return _no_connection(session, spec, sorted({ref.partition(":")[0] for ref in refs}))


def forbidden_for(session: Session, refs: tuple[str, ...], spec: ActionSpec) -> str | None:
    """What forbids it here, which the journal is told when it is tried all the same: None where nothing
    does."""
    if session.read_only:
        return "this session is read-only"
    if session.lockdown:
        return "writes are locked down"
    # Which device it will be isn't known yet; its connection is the guard's to judge.
    if spec.scope != "ticket":
        return None
    names = sorted({ref.partition(":")[0] for ref in refs})
    return next((why for name in names if (why := _forbidden(session, name))), None)


def _forbidden(session: Session, name: str) -> str | None:
    connection = session.config.connections.get(name)
    if connection is not None and connection.read_only:
        return f"{name} is read-only here"
    if connection is not None and connection.identity == "shared" and not session.config.guard.allow_shared:
        return f"{name} acts under a name that several share"
    return None


def _no_connection(session: Session, spec: ActionSpec, names: list[str]) -> str | None:
    """Why none of these connections, or one that must, can do it."""
    # One that can't is enough: half of the marked ones done is what nobody asked for.
    reasons = [reason for name in names if (reason := _barred(session, name, spec))]
    return reasons[0] if reasons else None if names else "no PSA is configured"


def _barred(session: Session, name: str, spec: ActionSpec) -> str | None:
    connection = session.config.connections.get(name)
    if connection is None:
        return f"{name} is no longer configured"
    if forbidden := _forbidden(session, name):
        return forbidden
    try:
        # By the manifest, which needs no connector: this is asked at every move of the cursor.
        able = manifest(connection).able(spec.needs)
    except Failed as error:
        return error.failure.sentence
    return None if able.possible else able.reason


def shown_refs(screen: Screen[Any] | None) -> tuple[str, ...]:
    """Refs of tickets, or of the one device, that the screen is about."""
    if isinstance(screen, MainScreen):
        return screen.targets()
    ref = getattr(screen, "ref", None)
    return (ref,) if isinstance(ref, str) else ()


def devices_of(session: Session, refs: tuple[str, ...]) -> list[str]:
    """The RMM devices of these tickets; a device's own ref stands for itself."""
    by_ticket = session.store.tickets.device_refs()
    named = dict.fromkeys(d for ref in refs for d in by_ticket.get(ref, (ref,)))
    return [ref for ref in named if session.store.devices.get(ref) is not None]


async def chosen_targets(
    app: App[Any], session: Session, screen: Screen[Any], spec: ActionSpec
) -> Targets | None:
    """What the action goes to; asked where a ticket has several devices. None: the person left off."""
    refs = shown_refs(screen)
    if spec.scope == "none":
        return (), None
    if spec.name == "parent":
        return (_of_storm(session, refs[0]) if len(refs) == 1 else _parent_first(session, refs)), None
    if spec.scope != "device":
        return refs, None
    # With several marked nobody can say which of them the output belongs to.
    ticket = refs[0] if len(refs) == 1 and session.store.tickets.row(refs[0]) else None
    attach = ticket or getattr(screen, "attach", None)
    devices = devices_of(session, refs)
    if len(devices) > 1:
        picked = await app.push_screen_wait(
            Palette(f"{spec.title}: which device?", _choices(session, devices, spec))
        )
        devices = devices if picked == _ALL else [picked] if picked else []
    return (tuple(devices), attach) if devices else None


def _of_storm(session: Session, ref: str) -> tuple[str, ...]:
    """The tickets of the ticket's storm, the one to be their parent first: the closed one whose cause is
    back, the one that the PSA has as parent, else the one that stands for them in the list."""
    watch = session.storms
    storm = next((s for s in watch.found if ref in s.refs), None) if watch else None
    refs = storm.tickets if storm is not None else (ref,)
    back = [watch.again[r] for r in refs if r in watch.again] if watch else []
    found = [t for r in refs if (t := session.store.tickets.get(r)) is not None]
    parents = {t.parent for t in found} & set(refs)
    return tuple(dict.fromkeys((*back, *sorted(r for r in parents if r), ref, *refs)))


def _parent_first(session: Session, refs: tuple[str, ...]) -> tuple[str, ...]:
    from mspterm.domain.gathering import proposed

    found = [t for ref in refs if (t := session.store.tickets.get(ref)) is not None]
    return tuple(dict.fromkeys((*([proposed(found).ref] if found else []), *refs)))


def _choices(session: Session, refs: list[str], spec: ActionSpec) -> list[Choice]:
    found = (session.store.devices.get(ref) for ref in refs)
    choices = [Choice(d.ref, d.name, d.os or "") for d in found if d is not None]
    if spec.many:
        steps = "1, then 5, then the rest, with looks between"
        choices.append(Choice(_ALL, f"All {len(choices)} devices", steps))
    return choices
