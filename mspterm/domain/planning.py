"""Plans from what a person asked and what is known: every line says what will happen, to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mspterm.domain.action import Audience, NewTicket, Plan, Reboot, RunCommand, Target, Update
from mspterm.domain.device import Device
from mspterm.domain.spec import Risk
from mspterm.domain.ticket import Ticket

PUBLIC = frozenset({Audience.PUBLIC, Audience.RESOLUTION})


@dataclass(frozen=True, slots=True)
class Asked:
    """One update as asked, in the vendor's own words where it names statuses and queues.

    `owner` is (id, name); `mail_words` says who gets mail by the vendor's rules.
    """

    text: str | None = None
    audience: Audience = Audience.INTERNAL
    mail: bool | None = None
    mail_words: str = ""
    minutes: int | None = None
    status: str | None = None
    owner: tuple[str, str] | None = None
    priority: int | None = None
    queue: str | None = None
    next_at: datetime | None = None
    meets: str | None = None
    billable: str | None = None


def target_of(ticket: Ticket) -> Target:
    # Where the vendor has no version, its last change stands for one.
    version = ticket.version or ticket.updated_at.isoformat()
    return Target(ticket.ref, f"#{ticket.number} {ticket.summary}", ticket.client, version)


def plan_update(action: str, asked: Sequence[tuple[Ticket, Asked]]) -> Plan:
    """One update a ticket; the plan's lines name each change as from and to."""
    writes = tuple(_update(t, a) for t, a in asked)
    lines = tuple(line for t, a in asked for line in _update_lines(t, a))
    return Plan(action, Risk.ROUTINE, writes, tuple(target_of(t) for t, _ in asked), lines)


def _update(ticket: Ticket, a: Asked) -> Update:
    return Update(
        ticket.ref,
        text=a.text,
        audience=a.audience,
        mail=a.mail,
        minutes=a.minutes,
        status=None if a.status == ticket.status else a.status,
        owner=a.owner[0] if a.owner else None,
        priority=a.priority,
        queue=None if a.queue == ticket.queue else a.queue,
        next_at=a.next_at,
        # For a claim alone: a note is no worse for somebody having taken the ticket meanwhile.
        expected_owner=(ticket.assignee_id or "") if a.owner else None,
    )


def _update_lines(t: Ticket, a: Asked) -> list[str]:
    lines = [f"{t.ref} #{t.number} {t.summary} ({t.client or 'no client'})"]
    if a.text is not None:
        lines.append(
            f"  {readers(t, a.audience)}{'; ' + a.mail_words if a.mail_words else ''}: {brief(a.text)}"
        )
    if a.minutes:
        lines.append(f"  time: {a.minutes} min more")
    if a.billable:
        lines.append(f"  coverage: {a.billable}")
    if a.status:
        lines.append(f"  status: {t.status} -> {a.status}")
    if a.owner is not None:
        lines.append(f"  owner: {t.assignee or 'nobody'} -> {a.owner[1] or 'nobody'}")
    if a.priority is not None:
        lines.append(f"  priority: P{t.priority} -> P{a.priority}")
    if a.queue:
        lines.append(f"  queue: {t.queue} -> {a.queue}")
    if a.next_at is not None:
        lines.append(f"  next action: {a.next_at:%Y-%m-%d %H:%M} UTC")
    if a.meets:
        lines.append(f"  SLA: {a.meets}")
    return lines


def readers(ticket: Ticket, audience: Audience) -> str:
    """Who will read a text of this audience, by name."""
    if audience in PUBLIC:
        contact = ticket.contact
        who = contact.name if contact else "the client"
        # Some PSAs have a requestor's address and no name: it isn't said twice.
        mail = f" <{contact.email}>" if contact and contact.email and contact.email != contact.name else ""
        return f"{audience.value}, read by {who}{mail} and all technicians"
    if audience is Audience.CO_MANAGED:
        return f"co-managed, read by {ticket.client or 'the client'}'s own IT and all technicians"
    return "internal, read by technicians only"


def brief(text: str, limit: int = 60) -> str:
    """The first words of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plan_new(new: NewTicket, *, meets: str | None = None) -> Plan:
    lines = [
        f"new {new.type} in {new.connection}, queue {new.queue}: {new.summary}",
        f"  client: {new.client}",
    ]
    named = (("contact", new.contact), ("device", new.device), ("parent", new.parent), ("owner", new.owner))
    lines += [f"  {label}: {value}" for label, value in named if value]
    if new.priority is not None:
        lines.append(f"  priority: P{new.priority}")
    if new.text:
        lines.append(f"  text, read by the contact and all technicians: {brief(new.text)}")
    target = Target(new.ref, new.summary, new.client)
    return Plan("new", Risk.ROUTINE, (new,), (target,), tuple(lines))


def device_target(device: Device, client: str | None) -> Target:
    return Target(device.ref, device.name, client)


def plan_run(
    devices: Sequence[tuple[Device, str | None]], command: RunCommand, script: str | None = None
) -> Plan:
    """The same command line, or the script that people call `script`, on each device; `command.ref` is
    replaced by each one's."""
    writes = tuple(replace(command, ref=d.ref) for d, _ in devices)
    # In full and never `brief`: this is what the person consents to.
    what = f"script {script} {command.command}".rstrip() if script else command.command
    lines = [
        f"{_named(d, client)}: run as {command.run_as} ({command.shell}): {what}" for d, client in devices
    ]
    if command.attach:
        lines.append(f"  output goes to {command.attach} as an internal note")
    return Plan(
        "run",
        Risk.DISRUPTIVE,
        writes,
        tuple(device_target(d, c) for d, c in devices),
        tuple(lines),
    )


def plan_reboot(devices: Sequence[tuple[Device, str | None]]) -> Plan:
    return Plan(
        "reboot",
        Risk.DISRUPTIVE,
        tuple(Reboot(d.ref) for d, _ in devices),
        tuple(device_target(d, c) for d, c in devices),
        tuple(f"{_named(d, client)}: restart now" for d, client in devices),
    )


def _named(device: Device, client: str | None) -> str:
    """A device as people call it; an RMM's ref says nothing to them, and may fill a line."""
    return f"{device.name} ({client or 'no client'})"
