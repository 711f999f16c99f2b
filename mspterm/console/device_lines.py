"""A device as lines: what its RMM says, and in each empty place why it doesn't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mspterm.console.line_view import BLANK, Span, TextLine, flow, line, wrap
from mspterm.console.sparkline import bar, power_strip, sparkline
from mspterm.console.ticket_header import ago, local, online_word
from mspterm.domain.ages import age
from mspterm.domain.device import Asset, Device, DeviceDetail, Disk, Interface, Sample
from mspterm.domain.handoff import LOW_DISK
from mspterm.domain.row import TicketRow

EVENTS = 8
POWER_SPAN = timedelta(hours=24)

_LABEL = 9
_CHART = 60
_BAR = 20


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device and what stands beside it. `client` is the PSA's where the RMM names none; `rmm` the
    product's name; `live` says why there are no live readings, where there are none."""

    device: Device
    rmm: str
    client: str | None = None
    detail: DeviceDetail | None = None
    samples: Sequence[Sample] = ()
    live: str | None = None
    tickets: Sequence[TicketRow] = ()
    unavailable: Mapping[str, str] = field(default_factory=dict)

    def why(self, what: str) -> str:
        """Why there is nothing in the place of `what`."""
        # Not asked, not given and given as empty are three things and must not look alike.
        if self.detail is None and what not in self.unavailable:
            return f"not asked yet, or {self.rmm} has not answered"
        reason = self.unavailable.get(what)
        return f"{self.rmm} does not give this: {reason}" if reason else f"{self.rmm} names none"


def device_lines(known: KnownDevice, *, now: datetime, width: int, plain: bool = False) -> list[TextLine]:
    """The whole device at this width, its facts and telemetry first."""
    return [
        *fact_lines(known, now=now, width=width),
        *chart_lines(known, width=width, plain=plain),
        *_disks(known, width, plain),
        *_tickets(known),
        *_network(known, width),
        *_power(known, now, width, plain),
        *_events(known, now, width),
        *_rest(known, width),
    ]


def fact_lines(known: KnownDevice, *, now: datetime, width: int) -> list[TextLine]:
    """The title, then the facts set as closely as the width allows."""
    device = known.device
    word, role = online_word(device.online)
    seen = f", last seen {ago(device.last_seen, now)}" if device.last_seen else ""
    facts = [
        [Span(word, role), Span("" if device.online else seen, "muted")],
        [Span(known.client or "no known client", "text" if known.client else "warning")],
        [Span(device.site or "no site", "text" if device.site else "muted")],
        [
            Span("logged on ", "muted"),
            Span(device.user or "nobody known", "text" if device.user else "muted"),
        ],
        [Span(device.os or "OS unknown", "text" if device.os else "muted")],
        [Span(_uptime(device, now))],
        [Span(", ".join(device.ips) or "no address known", "text" if device.ips else "muted")],
    ]
    if device.serial:
        facts.append([Span(f"serial {device.serial}", "muted")])
    facts += [[Span(mark, "warning")] for mark in _marks(device)]
    return [
        TextLine((Span(f"{device.name}  {device.kind}, {known.rmm}", "header"),)),
        *flow(facts, width - 1, indent=2),
    ]


def _uptime(device: Device, now: datetime) -> str:
    if device.booted_at is None:
        return "boot time unknown"
    return f"up {age((now - device.booted_at).total_seconds())}, since {local(device.booted_at, now)}"


def _marks(device: Device) -> Iterator[str]:
    if device.needs_reboot:
        yield "REBOOT PENDING"
    if device.maintenance is not None:
        until = f" until {device.maintenance.until:%Y-%m-%d %H:%M} UTC" if device.maintenance.until else ""
        yield f"in maintenance{until}"
    if device.alerts_open:
        yield f"{device.alerts_open} alerts open"
    if device.flags:
        yield f"flags: {', '.join(device.flags)}"


def chart_lines(known: KnownDevice, *, width: int, plain: bool = False) -> list[TextLine]:
    """CPU and memory: the last reading, then what came before it."""
    cells = max(10, min(_CHART, width - _LABEL - 8))
    last = known.samples[-1] if known.samples else None
    rows = [BLANK]
    for label, values in (
        ("CPU", [s.cpu_percent for s in known.samples]),
        ("Memory", [s.memory_percent for s in known.samples]),
    ):
        if last is None:
            rows.append(_labelled(label, known.live or "waiting for the first reading ...", "muted"))
            continue
        # A sample may hold one of the two only: the last that was given is shown, not a hole.
        reading = next((v for v in reversed(values) if v is not None), None)
        text = "  ?  " if reading is None else f"{reading:4.0f}%"
        role = "warning" if reading is not None and reading >= 90 else "text"
        rows.append(TextLine((Span(label.ljust(_LABEL), "muted"), Span(f"{text} ", role),
                              Span(sparkline(values, cells, plain=plain), "link"))))  # fmt: skip
    if last is not None and known.live:
        rows.append(_labelled("", f"no live readings now: {known.live}", "warning"))
    return rows


def _labelled(label: str, text: str, role: str = "text") -> TextLine:
    return TextLine((Span(label.ljust(_LABEL), "muted"), Span(text, role)))


def _section(label: str, rows: Sequence[str], width: int, role: str = "text") -> list[TextLine]:
    """Rows behind one label, wrapped and set under each other."""
    wrapped = [piece for row in rows for piece in wrap(row, width - _LABEL)]
    return [_labelled(label if not at else "", piece, role) for at, piece in enumerate(wrapped)]


def _disks(known: KnownDevice, width: int, plain: bool) -> list[TextLine]:
    if not known.device.disks:
        return _section("Disks", [known.why("disks")], width, "muted")
    return [
        TextLine((Span(("Disks" if not at else "").ljust(_LABEL), "muted"), *_disk(disk, plain)))
        for at, disk in enumerate(known.device.disks)
    ]


def _disk(disk: Disk, plain: bool) -> list[Span]:
    health = f", {disk.health}" if disk.health in ("warning", "failed") else ""
    role = "failed" if disk.health == "failed" else "warning" if health else "text"
    if not disk.total_bytes or disk.free_bytes is None:
        return [Span(f"{disk.name} size unknown{health}", role)]
    free = disk.free_bytes / disk.total_bytes
    low = free < LOW_DISK
    size = f"{free:4.0%} free of {disk.total_bytes / 1e9:.0f} GB"
    used = bar(100 - 100 * free, _BAR, plain=plain)
    return [
        Span(f"{disk.name:<6} {used} ", "warning" if low else "link"),
        Span(f"{size}{' LOW' if low else ''}{health}", "warning" if low else role),
    ]


def _tickets(known: KnownDevice) -> list[TextLine]:
    if not known.tickets:
        return [_labelled("Tickets", "none open on this device", "muted")]
    return [
        _labelled("Tickets" if not at else "", f"{f'[{at + 1}] ' if at < 9 else '    '}{_ticket(row)}")
        for at, row in enumerate(known.tickets)
    ]


def _ticket(row: TicketRow) -> str:
    return (
        f"#{row.number} P{row.priority} {row.status_class.value}, {row.assignee or 'nobody'}: {row.summary}"
    )


def _network(known: KnownDevice, width: int) -> list[TextLine]:
    found = known.detail.interfaces if known.detail else ()
    rows = [_interface(i) for i in found] or [known.why("interfaces")]
    return _section("Network", rows, width, "text" if found else "muted")


def _interface(interface: Interface) -> str:
    state = {True: "up", False: "DOWN", None: ""}[interface.up]
    parts = (interface.name, state, ", ".join(interface.addresses), interface.mac)
    gateway = f"gateway {interface.gateway}" if interface.gateway else ""
    return "  ".join(part for part in (*parts, gateway) if part)


def _power(known: KnownDevice, now: datetime, width: int, plain: bool) -> list[TextLine]:
    spans = known.detail.power if known.detail else ()
    if not spans:
        return _section("Power", [known.why("power")], width, "muted")
    cells = max(10, min(48, width - _LABEL - 30))
    strip = power_strip(spans, now - POWER_SPAN, now, cells, plain=plain)
    last = max(spans, key=lambda s: s.since)
    said = f" {last.state} since {local(last.since, now)} (24 h)"
    return [TextLine((Span("Power".ljust(_LABEL), "muted"), Span(strip, "link"), Span(said)))]


def _events(known: KnownDevice, now: datetime, width: int) -> list[TextLine]:
    found = sorted(known.detail.event_log, key=lambda e: e.at, reverse=True) if known.detail else []
    rows = [f"{local(e.at, now)}  {e.message}{f' ({e.who})' if e.who else ''}" for e in found[:EVENTS]]
    if len(found) > EVENTS:
        rows.append(f"and {len(found) - EVENTS} earlier ones")
    return _section("Events", rows or [known.why("event_log")], width, "text" if rows else "muted")


# These have a place of their own, where `why` says it; the rest of what is missing is listed below.
_SHOWN_ABOVE = frozenset({"disks", "interfaces", "power", "event_log", "series", "cpu", "memory"})


def _rest(known: KnownDevice, width: int) -> list[TextLine]:
    """Notes, checks, services and hardware, and why the others aren't there."""
    detail = known.detail
    lines: list[TextLine] = []
    if detail is not None and detail.notes:
        lines += _section("Notes", [detail.notes], width)
    if detail is not None and detail.checks:
        rows = [f"{c.status.upper()} {c.name}: {c.message or ''}" for c in detail.checks]
        lines += _section("Checks", rows, width)
    if detail is not None and detail.services:
        stopped = [s.name for s in detail.services if s.state != "running" and s.start_type == "auto"]
        said = f"{len(detail.services)} known; set to start but not running: {', '.join(stopped) or 'none'}"
        lines += _section("Services", [said], width, "warning" if stopped else "text")
    if detail is not None and detail.hardware:
        said = ", ".join(f"{name} {value}" for name, value in detail.hardware.items())
        lines += _section("Hardware", [said], width, "muted")
    for what, reason in known.unavailable.items():
        if what not in _SHOWN_ABOVE:
            lines += _section("", [f"no {what.replace('_', ' ')}: {reason}"], width, "muted")
    return [BLANK, *lines] if lines else []


def asset_lines(asset: Asset, tickets: Sequence[TicketRow], *, width: int) -> list[TextLine]:
    """What only the PSA knows of a device."""
    facts = [
        [Span(asset.client or "no client", "text" if asset.client else "warning")],
        [Span(f"serial {asset.serial or 'unknown'}", "muted")],
        [Span("no RMM device is tied to it: no telemetry, no commands", "warning")],
    ]
    lines = [
        line(f"{asset.name}  {asset.kind}, in the PSA only", "header"),
        *flow(facts, width - 1, indent=2),
    ]
    if asset.description:
        lines += [BLANK, *(line(row) for row in wrap(asset.description, width))]
    rows = [f"[{at}] {_ticket(row)}" for at, row in enumerate(tickets, 1)] or ["none open"]
    return [*lines, BLANK, *_section("Tickets", rows, width)]
