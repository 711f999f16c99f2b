"""The verbs that read: lists from the store, single tickets and devices from their server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from mspterm.cli.output import print_json, print_table, say
from mspterm.cli.rows import (
    Row,
    alert_row,
    detail_rows,
    device_detail_rows,
    device_row,
    ticket_row,
)
from mspterm.cli.session import (
    DONE,
    FAILED,
    NO_CREDENTIAL,
    PARTLY,
    USAGE,
    complain,
    fetch,
    no_credentials,
    refresh,
    run,
)
from mspterm.cli.ticket_text import ticket_text
from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.flags import all_flagged, flagged
from mspterm.desk.look import device_now
from mspterm.desk.planner import Planner
from mspterm.domain.ages import age, countdown
from mspterm.domain.device import Alert, Device, Sample
from mspterm.domain.fields import FilterContext
from mspterm.domain.filter import Filter, FilterError, parse, parse_alerts, parse_devices
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.domain.row import TicketRow
from mspterm.domain.views import DEFAULT_VIEWS, view

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Exact JSON for programs.")
filter_option = click.option(
    "--filter", "filter_text", default="", help="client:oak p:1 owner:me !status:waiting words"
)
offline_option = click.option("--offline", is_flag=True, help="Only what the store has; nothing is called.")


@click.command()
@click.option(
    "--view", "view_name", help="A view by name, such as 'on fire' or 'mine'. Default: every active ticket."
)
@filter_option
@offline_option
@json_option
def tickets(view_name: str | None, filter_text: str, offline: bool, as_json: bool) -> None:
    """List tickets: the queue over every PSA, in its order."""

    async def verb(desk: Desk) -> int:
        chosen = _filters(desk, view_name, filter_text)
        failures = await _refreshed(desk, offline)
        context = _context(desk)
        rows = [r for r in desk.store.tickets.active() if all(f.matches(r, context) for f in chosen)]
        _print_tickets(desk, rows, failures, as_json)
        return await _status(desk, failures, bool(desk.store.tickets.count_active()))

    run(verb)


def _filters(desk: Desk, view_name: str | None, text: str) -> list[Filter[TicketRow]]:
    found = [_parsed(parse(text))] if text else []
    if view_name:
        found.append(_view_filter(desk, view_name))
    return found


def _parsed(parsed: Filter[T] | FilterError) -> Filter[T]:
    if isinstance(parsed, FilterError):
        complain(f"--filter: {parsed.sentence}")
        raise SystemExit(USAGE)
    return parsed


def _view_filter(desk: Desk, name: str) -> Filter[TicketRow]:
    # The user's own first: they may give a built-in view another meaning under its name.
    own = [view(v.name, v.title, v.filter) for v in desk.config.views]
    known = [v for v in (*own, *DEFAULT_VIEWS) if not isinstance(v, FilterError)]
    for known_view in known:
        if name.casefold() in (known_view.name.casefold(), known_view.title.casefold()):
            return known_view.filter
    complain(f"--view: there is no view {name!r}; there are: {', '.join(v.name for v in known)}.")
    raise SystemExit(USAGE)


def _context(desk: Desk) -> FilterContext:
    names = desk.store.devices.names()
    return FilterContext(now=desk.now().timestamp(), me=Planner(desk).known_me(), device_names=names)


async def _refreshed(desk: Desk, offline: bool) -> list[Failure]:
    failures = await refresh(desk, desk.connections, offline=offline)
    for failure in failures:
        complain(f"{failure.connection}: {failure}")
    return failures


async def _status(desk: Desk, failures: Sequence[Failure], anything: bool) -> int:
    """3 where some connection failed, 1 where all did and nothing is known, 4 without credentials."""
    if not failures:
        return DONE
    if len(failures) >= len(desk.connections):
        if await no_credentials(desk, desk.connections):
            return NO_CREDENTIAL
        if not anything:
            return FAILED
    return PARTLY


def _print_tickets(desk: Desk, rows: Sequence[TicketRow], failures: Sequence[Failure], as_json: bool) -> None:
    now = desk.now()
    if as_json:
        wanted = {r.ref: r.pending for r in rows}
        devices = desk.store.tickets.device_refs()
        dead = _stale_names(desk, failures)
        whole = (t for t in desk.store.tickets.whole() if t.ref in wanted)
        print_json(
            [
                ticket_row(
                    t,
                    device_refs=devices.get(t.ref, ()),
                    stale=t.connection in dead,
                    pending=wanted[t.ref],
                    now=now,
                    remaining=desk.clockwork.remaining_s,
                )
                for t in whole
            ]
        )
        return
    columns = ("DUE", "P", "REF", "STATUS", "CLIENT", "SUMMARY", "OWNER", "QUEUE", "DEVICE", "AGE")
    print_table(columns, [_cells(r, now) for r in rows])


def _cells(r: TicketRow, now: datetime) -> list[str]:
    due = countdown(datetime.fromtimestamp(r.due, UTC), now) if r.due is not None else ""
    return [
        due, f"P{r.priority}", r.ref, r.status, r.client or "-", r.summary, r.assignee or "-", r.queue or "-",
        r.device or "-", age(now.timestamp() - r.created_at),
    ]  # fmt: skip


def _stale_names(desk: Desk, failures: Sequence[Failure]) -> set[str]:
    """Connections whose rows may be behind: failing, or not looked at for two intervals."""
    dead = {f.connection for f in failures if f.connection}
    return dead | {n for n in desk.config.connections if _behind(desk, n)}


def _behind(desk: Desk, name: str) -> bool:
    from mspterm.desk.sync import Sync

    state = desk.store.connections.get(name)
    if state.failure is not None or state.checked_at is None or name not in desk.connections:
        return True
    try:
        return (desk.now() - state.checked_at).total_seconds() > 2 * Sync(desk).poll_s(name)
    except Failed:
        return True


@click.command()
@click.argument("ref")
@json_option
def ticket(ref: str, as_json: bool) -> None:
    """One ticket with its conversation, asked of the server (the store where it can't be reached)."""

    async def verb(desk: Desk) -> int:
        name, _ = split_ref(ref)
        desk.connection(name)
        await know_devices(desk)
        failure = await fetch(desk, ref)
        if failure is not None:
            # What the server has no more is not shown from the store as if it were only away.
            if failure.reason is Reason.NOT_FOUND or desk.store.tickets.get(ref) is None:
                raise Failed(failure)
            complain(f"{name}: {failure}")
        _print_ticket(desk, ref, failure is not None, as_json)
        return PARTLY if failure else DONE

    run(verb)


async def know_devices(desk: Desk) -> None:
    """On a store that has never seen a whole run: one of each, so that devices have their names."""
    unknown = [n for n in desk.connections if desk.store.connections.get(n).full_at is None]
    if unknown:
        await refresh(desk, unknown)


def _print_ticket(desk: Desk, ref: str, stale: bool, as_json: bool) -> None:
    known, detail = desk.store.tickets.get(ref), desk.store.tickets.detail(ref)
    assert known is not None
    pending = desk.store.intents.pending(ref)
    refs = desk.store.tickets.device_refs().get(ref, ())
    row = ticket_row(
        known,
        device_refs=refs,
        stale=stale,
        pending=pending,
        now=desk.now(),
        remaining=desk.clockwork.remaining_s,
    )
    row |= detail_rows(detail) if detail else {"description": None, "notes": [], "attachments": []}
    if as_json:
        print_json(row)
    else:
        say(ticket_text(desk, known, detail, row))


@click.command()
@filter_option
@offline_option
@json_option
def devices(filter_text: str, offline: bool, as_json: bool) -> None:
    """List the devices that the RMM systems know."""

    async def verb(desk: Desk) -> int:
        chosen = _parsed(parse_devices(filter_text)) if filter_text else None
        failures = await _refreshed(desk, offline)
        everything = desk.store.devices.all()
        named = desk.store.devices.client_names()
        found = list(all_flagged(desk, (_with_client(d, named) for d in everything)))
        if chosen is not None:
            found = chosen.select(found, _context(desk))
        dead = _stale_names(desk, failures)
        rows = [device_row(d, client=d.client, stale=d.connection in dead) for d in found]
        if as_json:
            print_json(rows)
        else:
            print_table(
                ("NAME", "ONLINE", "KIND", "CLIENT", "OS", "USER", "REF"), [_device_cells(r) for r in rows]
            )
        return await _status(desk, failures, bool(everything))

    run(verb)


def _with_client(d: Device, named: dict[str, str]) -> Device:
    from dataclasses import replace

    from mspterm.domain.text import SafeText

    client = named.get(d.ref)
    return d if d.client or client is None else replace(d, client=SafeText(client))


def _device_cells(row: Row) -> list[str]:
    online = {True: "online", False: "OFFLINE", None: "unknown"}[row["online"]]
    named = (row["name"], online, row["kind"], row["client"], row["os"], row["user"], row["ref"])
    return [value or "-" for value in named]


@click.command()
@click.argument("ref")
@json_option
def device(ref: str, as_json: bool) -> None:
    """One device with all its RMM gives, asked of the server. REF is a ref or a unique name."""

    async def verb(desk: Desk) -> int:
        await know_devices(desk)
        found, client = Planner(desk).device(ref)
        row, failure = await _asked_device(desk, found, client)
        if failure is not None:
            complain(f"{found.connection}: {failure}")
        if as_json:
            print_json(row)
        else:
            say(_device_text(row))
        return PARTLY if failure else DONE

    run(verb)


async def _asked_device(desk: Desk, known: Device, client: str | None) -> tuple[Row, Failure | None]:
    tickets_ = desk.store.devices.tickets_of(known.ref)
    try:
        detail = await device_now(desk, known.ref)
        connector = await desk.connector(known.connection)
        # Offline it gives no reading, and would take the whole time to say so.
        sample = await _sample(connector.live, known.id) if detail.device.online else None
    except Failed as error:
        row = device_row(flagged(desk, known), client=client, stale=True)
        empty: Row = {"series": [], "event_log": [], "checks": [], "services": [], "tickets": tickets_}
        return row | empty | {"unavailable": {"detail": str(error.failure)}}, error.failure
    row = device_row(flagged(desk, detail.device), client=detail.device.client or client, stale=False)
    row |= device_detail_rows(detail, tickets_)
    if sample is not None:
        one = {"cpu_percent": sample.cpu_percent, "memory_percent": sample.memory_percent}
        row |= one
    return row, None


async def _sample(live: Callable[[str], Any], id_: str) -> Sample | None:
    """The first live reading with a value in it, or None after a few seconds."""
    try:
        stream = live(id_)
    except Failed:
        return None
    try:
        async with asyncio.timeout(8):
            async for sample in stream:
                if sample.cpu_percent is not None:
                    assert isinstance(sample, Sample)
                    return sample
    except (TimeoutError, Failed):
        return None
    finally:
        await stream.aclose()
    return None


def _device_text(row: Row) -> str:
    online = {True: "online", False: "OFFLINE", None: "state unknown"}[row["online"]]
    lines = [
        f"{row['name']}  {online}  {row['kind']}{'  (stale)' if row['stale'] else ''}",
        f"client   {row['client'] or '-'}    site {row['site'] or '-'}    user {row['user'] or '-'}",
        f"os       {row['os'] or '-'}    last seen {row['last_seen'] or '-'}",
        f"ips      {', '.join(row['ips']) or '-'}",
        f"cpu      {_percent(row['cpu_percent'])}    memory {_percent(row['memory_percent'])}",
    ]
    lines += [f"disk     {_disk(d)}" for d in row["disks"]]
    lines += [f"ticket   {t}" for t in row["tickets"]]
    lines += [f"event    {e['at']} {e['message']}" for e in row["event_log"][:10]]
    lines += [f"no {what}: {why}" for what, why in row["unavailable"].items()]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"


def _disk(d: Row) -> str:
    if not d["total_bytes"] or d["free_bytes"] is None:
        return str(d["name"])
    free = 100 * d["free_bytes"] / d["total_bytes"]
    return f"{d['name']}  {d['free_bytes'] / 2**30:.1f} GiB free of {d['total_bytes'] / 2**30:.1f} ({free:.0f} %)"


@click.command()
@filter_option
@offline_option
@json_option
def alerts(filter_text: str, offline: bool, as_json: bool) -> None:
    """List open alerts."""
    from mspterm.desk.ties import open_alerts, severity

    async def verb(desk: Desk) -> int:
        chosen = _parsed(parse_alerts(filter_text)) if filter_text else None
        failures = await _refreshed(desk, offline)
        found: list[Alert] = open_alerts(desk)
        if chosen is not None:
            found = chosen.select(found, _context(desk))
        if as_json:
            print_json([alert_row(a) for a in found])
        else:
            cells = [
                [
                    severity(desk, a),
                    a.client or "-",
                    a.device_ref or "-",
                    a.message,
                    a.ticket_ref or "-",
                    a.ref,
                ]
                for a in found
            ]
            print_table(("SEVERITY", "CLIENT", "DEVICE", "MESSAGE", "TICKET", "REF"), cells)
        return await _status(desk, failures, bool(found))

    run(verb)
