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

Targets = tuple[tuple[str, ...], str | None]
"""Refs, and the ticket that output goes to."""


def unavailable(session: Session, screen: Screen[Any] | None, spec: ActionSpec) -> str | None:
    """Why the action can't be done on what the screen shows; None where it can."""
    return unavailable_for(session, shown_refs(screen), spec)


def unavailable_for(session: Session, refs: tuple[str, ...], spec: ActionSpec) -> str | None:
    """Why the action can't be done on these; None where it can."""
    if session.running is None:
        return "the console is still starting"
    if session.read_only:
        return "this session is read-only"
    if session.lockdown:
        return "writes are locked down"
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


def _no_connection(session: Session, spec: ActionSpec, names: list[str]) -> str | None:
    """Why none of these connections, or one that must, can do it."""
    reasons = [reason for name in names if (reason := _barred(session, name, spec))]
    return reasons[0] if reasons else None if names else "no PSA is configured"


def _barred(session: Session, name: str, spec: ActionSpec) -> str | None:
    connection = session.config.connections.get(name)
    if connection is None:
        return f"{name} is no longer configured"
    if connection.read_only:
        return f"{name} is read-only here"
    if connection.identity == "shared" and not session.config.guard.allow_shared:
        return f"{name} acts under a name that several share"
    try:
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
    if spec.scope != "device":
        return refs, None
    ticket = refs[0] if len(refs) == 1 and session.store.tickets.row(refs[0]) else None
    attach = ticket or getattr(screen, "attach", None)
    devices = devices_of(session, refs)
    if len(devices) > 1:
        picked = await app.push_screen_wait(
            Palette(f"{spec.title}: which device?", _choices(session, devices))
        )
        devices = [picked] if picked else []
    return (tuple(devices), attach) if devices else None


def _choices(session: Session, refs: list[str]) -> list[Choice]:
    found = (session.store.devices.get(ref) for ref in refs)
    return [Choice(d.ref, d.name, d.os or "") for d in found if d is not None]
