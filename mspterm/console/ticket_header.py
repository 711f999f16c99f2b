"""What stands above a ticket's text: who, how urgent, by when, on which device, what is next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mspterm.console.line_view import Span, TextLine, flow, line, wrap
from mspterm.domain.ages import age, countdown
from mspterm.domain.device import Asset, Device
from mspterm.domain.escalation import Proposal, proposal_line
from mspterm.domain.route import Step
from mspterm.domain.row import ClockState
from mspterm.domain.scope import Mark
from mspterm.domain.ticket import Clock, Ticket

Fact = list[Span]

SOON_S = 1800
_MARGIN = 1


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket and what stands beside it in the store. `devices` are RMM devices where known, else
    the PSA's assets; `pending` counts writes that wait for the server."""

    ticket: Ticket
    devices: Sequence[Device | Asset] = ()
    pending: int = 0


def header_lines(known: Known, *, now: datetime, width: int) -> list[TextLine]:
    """The title, then the facts set as closely as the width allows: five to seven rows at 80 columns."""
    ticket = known.ticket
    title = TextLine((Span(f"#{ticket.number} {ticket.summary}", "header"),))
    groups = [_state(ticket, known.pending), _people(ticket), _clocks(ticket, now), _things(known)]
    if width >= 2 * 80:
        groups = [groups[0] + groups[1], groups[2] + groups[3]]
    rows = [row for facts in groups if facts for row in flow(facts, width - _MARGIN, indent=2)]
    return [title, *rows]


def _state(ticket: Ticket, pending: int) -> list[Fact]:
    label = f" {ticket.priority_label}" if ticket.priority_label else ""
    kind = "" if ticket.status.casefold() == ticket.status_class.value else f" ({ticket.status_class.value})"
    queue = f"{ticket.queue or 'no queue'}{f' ({ticket.tier})' if ticket.tier else ''}"
    facts = [
        # Themes tell three priorities apart; the number says the rest.
        [Span(f"P{ticket.priority}{label}", f"p{min(3, ticket.priority)}")],
        [Span(f"{ticket.status}{kind}")],
        [Span(queue)],
        [
            Span("owner ", "muted"),
            Span(ticket.assignee or "nobody", "text" if ticket.assignee else "warning"),
        ],
        [Span(ticket.type, "muted")],
    ]
    if pending:
        facts.append([Span(f"{pending} change{'s' * (pending > 1)} not sent yet", "warning")])
    return facts


def _people(ticket: Ticket) -> list[Fact]:
    site = f", {ticket.site}" if ticket.site else ""
    facts = [[Span(f"{ticket.client or 'no client'}{site}", "text" if ticket.client else "warning")]]
    contact = ticket.contact
    if contact is None:
        return [*facts, [Span("no contact", "muted")]]
    facts.append([Span(contact.name)])
    facts.append([Span(", ".join(contact.phones) or "no phone known", "text" if contact.phones else "muted")])
    # RT knows many requestors by their address only.
    if contact.email and contact.email != contact.name:
        facts.append([Span(contact.email, "link")])
    return facts


def _clocks(ticket: Ticket, now: datetime) -> list[Fact]:
    facts = [fact for name, clock in ticket.sla.named() if (fact := _clock(name, clock, now))]
    return facts or [[Span("no SLA clock", "muted")]]


def _clock(name: str, clock: Clock, now: datetime) -> Fact:
    """`1h05 to resolution (psa), Tue 14:30`: the countdown first, as it is what changes."""
    source = f" ({clock.source})" if clock.source else ""
    state = clock.state_at(now)
    if state is ClockState.NONE:
        return []
    if state is ClockState.MET:
        return [Span(f"{name} met{source}", "muted")]
    if state is ClockState.PAUSED or clock.due is None:
        return [Span(f"{name} paused{source}", "muted")]
    due = local(clock.due, now)
    if clock.differs and clock.calc_due is not None:
        due += f", by our reckoning {local(clock.calc_due, now)}"
    if state is ClockState.BREACHED:
        # A PSA may say breached before its due time has come: a countdown would contradict it.
        late = f"{countdown(clock.due, now)} " if clock.due <= now else ""
        return [Span(f"{late}{name} BREACHED{source}, was due {due}", "breach")]
    soon = (clock.due - now).total_seconds() <= SOON_S
    return [Span(f"{countdown(clock.due, now)} to {name}{source}, {due}", "warning" if soon else "text")]


def _things(known: Known) -> list[Fact]:
    ticket = known.ticket
    facts = [_device(number, device) for number, device in enumerate(known.devices, 1)]
    if not facts:
        facts = [[Span("no device", "muted")]]
    if ticket.waiting_on:
        facts.append([Span(f"waiting on {ticket.waiting_on}", "warning")])
    return facts


def _device(number: int, device: Device | Asset) -> Fact:
    if isinstance(device, Asset):
        return [Span(f"[{number}] {device.name}"), Span(" in the PSA only", "muted")]
    word, role = online_word(device.online)
    user = f", {device.user}" if device.user else ""
    return [Span(f"[{number}] {device.name} "), Span(word, role), Span(user, "muted")]


def dates_lines(ticket: Ticket, *, now: datetime, width: int, fresh: str = "") -> list[TextLine]:
    """Next action, last word of the client, where the ticket hangs, and how `fresh` all this is."""
    facts: list[Fact] = []
    if ticket.next_action_at is not None:
        late = ticket.next_action_at < now
        words = f"next action {local(ticket.next_action_at, now)}{', overdue' if late else ''}"
        facts.append([Span(words, "warning" if late else "text")])
    if ticket.customer_replied_at is not None:
        facts.append([Span(f"client wrote {ago(ticket.customer_replied_at, now)}, unanswered", "new")])
    facts.append([Span(f"opened {local(ticket.created_at, now)}", "muted")])
    if ticket.minutes_worked:
        facts.append([Span(f"{ticket.minutes_worked} min worked", "muted")])
    if ticket.agreement:
        facts.append([Span(f"agreement {ticket.agreement}", "muted")])
    if ticket.parent:
        facts.append([Span(f"parent {ticket.parent}")])
    if ticket.children:
        facts.append([Span(f"children {', '.join(ticket.children)}")])
    if fresh:
        facts.append([Span(fresh, "muted")])
    return flow(facts, width - _MARGIN, indent=2)


def coverage_lines(mark: Mark, *, width: int) -> list[TextLine]:
    """What isn't covered now, at what rate and with whose OK."""
    said = "; ".join(mark.lines())
    return [line(row, "warning") for row in wrap(said, width - _MARGIN, "  ")] if said else []


def proposal_lines(proposals: Sequence[Proposal], ticket: Ticket, *, width: int) -> list[TextLine]:
    """The escalation that is proposed, by its latest reason, and how many other reasons there are."""
    if not proposals:
        return []
    more = f" (and {len(proposals) - 1} more: W)" if len(proposals) > 1 else ""
    said = f"{proposal_line(proposals[0], ticket.tier)}{more}"
    return [line(row, "warning") for row in wrap(said, width - _MARGIN, "  ")]


def path_lines(steps: Sequence[Step], *, now: datetime, width: int) -> list[TextLine]:
    """`L1 Help Desk 10:02 (Ines)  → L2 Systems 10:40  → called Priya: voicemail 10:41`."""
    facts = [_step(step, number, now) for number, step in enumerate(steps)]
    return flow([[Span("path", "muted")], *facts], width - _MARGIN, gap=" ", indent=2) if facts else []


def _step(step: Step, number: int, now: datetime) -> Fact:
    who = f" ({step.who})" if step.who else ""
    arrow = "→ " if number and not step.call else ""
    return [Span(f"{arrow}{step.what} "), Span(f"{local(step.at, now)}{who}", "muted")]


def online_word(online: bool | None) -> tuple[str, str]:
    """The dot with its word, and the role for both."""
    if online is None:
        return "? state unknown", "warning"
    return ("● online", "ok") if online else ("○ OFFLINE", "failed")


def local(at: datetime, now: datetime) -> str:
    """An instant in this machine's zone, as short as it can be without doubt."""
    here, today = at.astimezone(), now.astimezone()
    if here.date() == today.date():
        return f"today {here:%H:%M}"
    # A weekday is clear only within a week; beyond it the year is said, too.
    if abs((here.date() - today.date()).days) < 7:
        return f"{here:%a %d %b %H:%M}"
    return f"{here:%Y-%m-%d %H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in steps."""
    # A vendor's clock may run ahead of ours.
    since = age(max(0.0, (now - at).total_seconds()))
    return "just now" if since == "now" else f"{since} ago"
