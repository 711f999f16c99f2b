"""One ticket: what is known of it at once, and what its server says as soon as it has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from mspterm.console.alert_lines import alert_lines
from mspterm.console.conversation import conversation_lines, related_lines
from mspterm.console.line_view import BLANK, LineView, TextLine, line, wrap
from mspterm.console.ticket_header import (
    Known,
    ago,
    coverage_lines,
    dates_lines,
    header_lines,
    path_lines,
    proposal_lines,
)
from mspterm.desk.desk import Desk
from mspterm.desk.escalation import path_of, proposals_now
from mspterm.desk.incidents import warning
from mspterm.desk.look import ticket_now
from mspterm.desk.prior_word import caller_line
from mspterm.domain.ages import age_changes_in, next_change
from mspterm.domain.device import Asset, Device
from mspterm.domain.reasons import Failed, Failure
from mspterm.domain.row import ClockState, TicketRow
from mspterm.domain.scope import Mark
from mspterm.domain.ticket import Ticket, TicketDetail

FOLLOW_S = 1.0
SETTLE_S = 0.3
"""A ticket that the cursor only passes by is not asked of the server."""

TALL = 34
"""From this many rows on the facts stay on screen while the text scrolls."""

_LEAST_WAIT_S = 0.25


@dataclass(slots=True)
class _Shown:
    """What the pane knows of its ticket now."""

    ticket: Ticket
    detail: TicketDetail | None
    devices: Sequence[Device | Asset]
    related: Sequence[tuple[str, Sequence[TicketRow]]]
    pending: int = 0


class TicketPane(Widget):
    """Shows the ticket `ref`; `show` another one at any time: a late answer about the last one is dropped."""

    DEFAULT_CSS = "TicketPane { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "device", "Device", id="ticket.device"),
        Binding("v", "unfold", "Unfold", id="ticket.unfold"),
        Binding("V", "unfold_all", "Unfold all", show=False, id="ticket.unfold_all"),
        Binding("f5,ctrl+r", "ask", "Ask again", show=False, id="ask"),
        *(
            Binding(str(n), f"related({n})", f"Open [{n}]", show=False, id=f"ticket.open_{n}")
            for n in range(1, 10)
        ),
    ]

    class DeviceWanted(Message):
        """The person wants to see this device, or this asset of the PSA."""

        def __init__(self, ref: str) -> None:
            self.ref = ref
            super().__init__()

    class TicketWanted(Message):
        """The person wants to see this other ticket."""

        def __init__(self, ref: str) -> None:
            self.ref = ref
            super().__init__()

    def __init__(self, desk: Desk, ref: str | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._desk = desk
        self.ref = ref
        self._generation = 0
        self._shown: _Shown | None = None
        self._asking: int | None = None
        self._failure: Failure | None = None
        self._opened: frozenset[str] = frozenset()
        self._seen: tuple[int, int] | None = None
        self._tick: Timer | None = None

    def compose(self) -> ComposeResult:
        yield LineView(id="ticket-text")

    def on_mount(self) -> None:
        self.set_interval(FOLLOW_S, self.follow)
        self.show(self.ref)

    @property
    def _text(self) -> LineView:
        return self.query_one(LineView)

    def focus_text(self) -> None:
        self.screen.set_focus(self._text)

    @property
    def device_refs(self) -> tuple[str, ...]:
        """Refs of the ticket's devices: the RMM's where known, else the PSA's assets."""
        return tuple(d.ref for d in self._shown.devices) if self._shown else ()

    # What is shown

    def show(self, ref: str | None) -> None:
        """Paint what the store knows of `ref` now, and ask its server."""
        self.ref = ref
        # Before anything is read: an answer about the last ticket finds itself outdated.
        self._generation += 1
        self._failure, self._opened, self._seen = None, frozenset(), None
        self.follow(to_top=True)
        if ref is not None:
            self._later(self._generation)

    def follow(self, *, to_top: bool = False) -> None:
        """Look whether the store knows something newer, and paint that."""
        seen = (self._desk.store.database.revision, self._width)
        # One number a second is compared; the ticket is read only where anything was stored at all.
        if seen == self._seen or not self._width:
            return
        self._seen = seen
        # A ticket that has just come into the pane is asked by `show` anyway.
        before = self._shown.ticket.updated_at if self._shown and not to_top else None
        self._shown = self._read() if self.ref is not None else None
        self._paint(to_top=to_top)
        if before is not None and self._shown is not None and self._stale(before):
            self.action_ask()

    def _stale(self, before: object) -> bool:
        """Whether the list brought a change that the conversation on screen doesn't have yet."""
        shown = self._shown
        assert shown is not None
        known = shown.detail.ticket.updated_at if shown.detail else None
        # Both: the answer that we asked for ourselves also stores a newer ticket, and must not ask again.
        return self._asking is None and shown.ticket.updated_at not in (before, known)

    @property
    def _width(self) -> int:
        return self._text.size.width

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        event.stop()
        self.follow(to_top=self._shown is None)

    def _read(self) -> _Shown | None:
        assert self.ref is not None
        store = self._desk.store
        ticket = store.tickets.get(self.ref)
        if ticket is None:
            return None
        devices = [d for d in map(self._device, self._device_refs(ticket)) if d is not None]
        row = store.tickets.row(self.ref)
        related = self._related(ticket, devices)
        return _Shown(ticket, store.tickets.detail(self.ref), devices, related, row.pending if row else 0)

    def _device_refs(self, ticket: Ticket) -> tuple[str, ...]:
        return self._desk.store.tickets.device_refs(ticket.ref).get(ticket.ref, ticket.device_refs)

    def _device(self, ref: str) -> Device | Asset | None:
        return self._desk.store.devices.get(ref) or self._desk.store.devices.asset(ref)

    def _related(
        self, ticket: Ticket, devices: Sequence[Device | Asset]
    ) -> list[tuple[str, list[TicketRow]]]:
        """Other tickets of the device, the contact and the client, each shown once."""
        store = self._desk.store
        groups: list[tuple[str, list[TicketRow]]] = []
        for device in devices:
            rows = (store.tickets.row(r) for r in store.devices.tickets_of(device.ref))
            groups.append((f"Open on {device.name}", [r for r in rows if r is not None]))
        if ticket.contact is not None:
            name = ticket.contact.name
            groups.append((f"Last of {name}", store.tickets.recent("contact", name, but=ticket.ref)))
        if ticket.client is not None:
            rows_of_client = store.tickets.recent("client", ticket.client, but=ticket.ref, limit=5)
            groups.append((f"Last of {ticket.client}", rows_of_client))
        return _once(groups, but=ticket.ref)

    # The server

    def _later(self, generation: int) -> None:
        def ask() -> None:
            if generation == self._generation:
                self.action_ask()

        self.set_timer(SETTLE_S, ask)

    def action_ask(self) -> None:
        """Ask the ticket's server now."""
        # Asked already for this one: pressing again neither doubles nor restarts it.
        if self.ref is not None and self._asking != self._generation:
            self._asking = self._generation
            self.run_worker(self._ask(self.ref, self._generation), group="ticket", exclusive=True)
            self._paint()

    async def _ask(self, ref: str, generation: int) -> None:
        failure: Failure | None = None
        try:
            await ticket_now(self._desk, ref)
        except Failed as error:
            failure = error.failure
        finally:
            # A question that was cancelled by the next must not say that the next is done.
            if self._asking == generation:
                self._asking = None
        if generation == self._generation:
            # Forces a paint: a failure changes nothing in the store.
            self._failure, self._seen = failure, None
            self.follow()

    # Painting

    def _paint(self, *, to_top: bool = False) -> None:
        shown, width = self._shown, self._width
        if shown is None:
            self._text.set_lines(self._nothing(), pinned=0, to_top=True)
            return
        now = self._desk.now()
        known = Known(shown.ticket, shown.devices, shown.pending)
        head = header_lines(known, now=now, width=width)
        head += alert_lines(self._desk.store, shown.ticket, width=width)
        incident = warning(self._desk, shown.ticket)
        if incident is not None:
            head[1:1] = [line(row, "breach") for row in wrap(f"! {incident}", width - 1)]
        mark = self._desk.clockwork.mark(shown.ticket, now)
        head += coverage_lines(mark, width=width)
        caller = caller_line(self._desk, shown.ticket)
        head += [line(row, "warning") for row in wrap(caller, width - 1)] if caller else []
        head += proposal_lines(proposals_now(self._desk, shown.ticket), shown.ticket, width=width)
        head += path_lines(path_of(self._desk, shown.ticket, shown.detail), now=now, width=width)
        fresh = "" if self._failure else f"as of {self._when(shown)}{', asking ...' if self._asking else ''}"
        head += dates_lines(shown.ticket, now=now, width=width, fresh=fresh)
        if self._failure is not None:
            head.append(line(f"! as of {self._when(shown)}: {self._failure.sentence}", "failed"))
        lines = [*head, *self._body(shown, width)]
        # In a small terminal pinned facts would leave no room for the conversation.
        pinned = len(head) if self.size.height >= TALL else 1
        self._text.set_lines(lines, pinned=pinned, to_top=to_top)
        self._wait(shown.ticket, mark)

    def _body(self, shown: _Shown, width: int) -> list[TextLine]:
        lines: list[TextLine] = []
        if shown.detail is not None:
            now = self._desk.now()
            lines += conversation_lines(shown.detail, width=width, now=now, opened=self._opened)
        elif self._failure is None:
            lines += [BLANK, line("Asking for the description and the conversation ...", "muted")]
        return lines + related_lines(shown.related, first=len(shown.devices) + 1, width=width)

    def _nothing(self) -> list[TextLine]:
        if self.ref is None:
            return [line("No ticket is chosen.", "muted")]
        if self._failure is not None:
            return [line(f"! {self._failure.sentence}", "failed")]
        return [line(f"Asking {self.ref.partition(':')[0]} for {self.ref} ...", "muted")]

    def _when(self, shown: _Shown) -> str:
        return ago((shown.detail.ticket if shown.detail else shown.ticket).observed_at, self._desk.now())

    def _wait(self, ticket: Ticket, mark: Mark) -> None:
        """One timer for the next change of any text that time alone changes."""
        if self._tick is not None:
            self._tick.stop()
        now = self._desk.now()
        waits = [age_changes_in(max(0.0, (now - ticket.observed_at).total_seconds()))]
        for _, clock in ticket.sla.named():
            if clock.due is not None and clock.state in (ClockState.RUNNING, ClockState.BREACHED):
                waits.append(next_change(clock.due, now))
        turns = (ticket.escalate_at, mark.changes_at)
        waits += [(at - now).total_seconds() for at in turns if at is not None and at > now]
        # The floor holds where rounding wakes us a moment early: it would spin.
        self._tick = self.set_timer(max(_LEAST_WAIT_S, min(waits)), self._paint)

    # Keys

    def action_unfold(self) -> None:
        """Open the first fold on screen that is closed; close those on screen where all are open."""
        folds = [t.fold for t in self._text.on_screen if t.fold is not None]
        closed = [f for f in folds if f not in self._opened]
        if closed:
            self._opened |= {closed[0]}
        else:
            self._opened -= set(folds)
        self._paint()

    def action_unfold_all(self) -> None:
        folds = {t.fold for t in self._text.prepared if t.fold is not None}
        if folds <= self._opened:
            self._opened = frozenset()
        else:
            self._opened |= folds
        self._paint()

    def action_device(self) -> None:
        refs = self.device_refs
        if refs:
            self.post_message(self.DeviceWanted(refs[0]))
        else:
            self.notify("This ticket names no device.", markup=False)

    def action_related(self, number: int) -> None:
        """Open what stands behind `[number]`: the devices come first, then the other tickets."""
        if self._shown is None:
            return
        devices = self.device_refs
        if number <= len(devices):
            self.post_message(self.DeviceWanted(devices[number - 1]))
            return
        tickets = [row.ref for _, rows in self._shown.related for row in rows]
        if number - len(devices) <= len(tickets):
            self.post_message(self.TicketWanted(tickets[number - len(devices) - 1]))


def _once(
    groups: Sequence[tuple[str, Sequence[TicketRow]]], *, but: str
) -> list[tuple[str, list[TicketRow]]]:
    """Each ticket only in the first group that holds it."""
    seen = {but}
    found = []
    for title, rows in groups:
        fresh = [row for row in rows if row.ref not in seen]
        seen.update(row.ref for row in fresh)
        found.append((title, fresh))
    return found
