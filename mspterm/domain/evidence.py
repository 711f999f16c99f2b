"""What a desk knows beside the ticket's own conversation, as lines for a handoff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mspterm.domain.ages import countdown
from mspterm.domain.row import ClockState, TicketRow
from mspterm.domain.ticket import Ticket

LOOK_BACK = timedelta(days=14)
"""As far back as other tickets of the device and of the contact matter."""

_MOST = 6


# A Protocol, as the facts are made in `config`, which this layer can't import.
class Notices(Protocol):
    """A client's facts, as far as they bind whoever works on its ticket."""

    @property
    def raci(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def baa(self) -> bool: ...
    @property
    def no_patient_data(self) -> bool: ...
    @property
    def notice_h(self) -> int | None: ...
    @property
    def notes(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """One action of ours on a device or for the ticket, by the journal."""

    at: datetime
    technician: str
    action: str
    on: str
    state: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Lines by what they are of. `open_at_client`: how many other tickets of the client are open."""

    clocks: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    of_contact: tuple[str, ...] = ()
    of_device: tuple[str, ...] = ()
    open_at_client: int | None = None


def clock_lines(ticket: Ticket, now: datetime) -> tuple[str, ...]:
    """Each target's clock as it stands at `now`, with whose word it is."""
    return tuple(_clocks(ticket, now))


def done_lines(done: Iterable[Done]) -> tuple[str, ...]:
    return tuple(
        f"- {d.at:%Y-%m-%d %H:%M}Z {d.technician}: {d.action} on {d.on}, {d.state} (journal)" for d in done
    )


def notice_lines(facts: Notices | None, service_line: str | None) -> tuple[str, ...]:
    """What binds: who owns what, of the ticket's service line first, and compliance."""
    if facts is None:
        return ()
    lines = sorted(facts.raci.items(), key=lambda row: row[0] != service_line)
    said = [f"RACI {name}: {', '.join(f'{r} {who}' for r, who in roles.items())}" for name, roles in lines]
    if facts.no_patient_data or facts.baa:
        said.append("Compliance: HIPAA, no patient data in notes or output")
    if facts.notice_h is not None:
        said.append(f"Compliance: a security incident must be told within {facts.notice_h} h")
    return (*said, *([f"Know: {facts.notes}"] if facts.notes else []))


def ticket_lines(title: str, rows: Iterable[TicketRow], now: datetime) -> tuple[str, ...]:
    """Other tickets of the last days under a title; empty where there are none."""
    since = (now - LOOK_BACK).timestamp()
    late = [row for row in rows if row.updated_at >= since]
    if not late:
        return ()
    # The store gives the latest first, so the cut leaves these.
    more = [f"  and {len(late) - _MOST} more"] if len(late) > _MOST else []
    return (title, *(f"  #{r.number} {r.status}: {r.summary}" for r in late[:_MOST]), *more)


def _clocks(ticket: Ticket, now: datetime) -> Iterator[str]:
    for name, clock in ticket.sla.named():
        state = clock.state_at(now)
        if state is ClockState.NONE:
            continue
        source = clock.source or "no source"
        due = f", due {clock.due:%Y-%m-%d %H:%M}Z" if clock.due is not None else ""
        live = clock.met_at is None and state in (ClockState.RUNNING, ClockState.BREACHED)
        # A clock that stands will be due later than its due time says, so no countdown to that.
        left = f" ({countdown(clock.due, now)})" if live and clock.due is not None else ""
        yield f"SLA {name}: {state.value}{due}{left} [{source}]"
