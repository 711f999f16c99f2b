"""The exact JSON of tickets, devices, alerts and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mspterm.domain.action import Result
from mspterm.domain.device import Alert, Device, DeviceDetail, Sample
from mspterm.domain.ticket import Clock, Ticket, TicketDetail

# Programs read these rows: every key always stands there, null where it is unknown.
Row = dict[str, Any]


def time(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


Remaining = Callable[[Clock, datetime], int | None]
"""Open seconds left of a clock on its own calendar, None where it doesn't run."""


def clock_row(clock: Clock, now: datetime, remaining: Remaining) -> Row:
    return {
        "due": time(clock.due),
        # Stored as running, it may be breached by now: nothing is stored anew as time passes.
        "state": clock.state_at(now).value,
        "source": clock.source,
        "remaining_s": remaining(clock, now),
        "met_at": time(clock.met_at),
    }


def ticket_row(
    t: Ticket, *, device_refs: Sequence[str], stale: bool, pending: int, now: datetime, remaining: Remaining
) -> Row:
    contact = t.contact
    return {
        "ref": t.ref,
        "connection": t.connection,
        "id": t.id,
        "number": t.number,
        "summary": t.summary,
        "type": t.type,
        "client": t.client,
        "client_id": t.client_id,
        "site": t.site,
        "contact": None
        if contact is None
        else {"name": contact.name, "phones": list(contact.phones), "email": contact.email},
        "status": t.status,
        "status_class": t.status_class.value,
        "waiting_on": t.waiting_on,
        "priority": t.priority,
        "priority_label": t.priority_label,
        "queue": t.queue,
        "queue_id": t.queue_id,
        "tier": t.tier,
        "assignee": t.assignee,
        "assignee_id": t.assignee_id,
        "category": t.category,
        "agreement": t.agreement,
        "service_line": t.service_line,
        "source": t.source,
        "parent": t.parent,
        "children": list(t.children),
        "created_at": time(t.created_at),
        "updated_at": time(t.updated_at),
        "customer_replied_at": time(t.customer_replied_at),
        "next_action_at": time(t.next_action_at),
        "url": t.url,
        "device_refs": list(device_refs),
        "in_scope": t.in_scope,
        "scope_reason": t.scope_reason,
        "observed_at": time(t.observed_at),
        "stale": stale,
        "pending_writes": pending,
        "sla": {name: clock_row(clock, now, remaining) for name, clock in t.sla.named()},
    }


def detail_rows(detail: TicketDetail) -> Row:
    """The keys that a single ticket adds."""
    return {
        "description": detail.description,
        "notes": [
            {
                "id": n.id,
                "at": time(n.at),
                "author": n.author,
                "kind": n.kind,
                "body": n.body,
                "minutes": n.minutes,
            }
            for n in detail.notes
        ],
        "attachments": [{"name": a.name, "bytes": a.bytes, "url": a.url} for a in detail.attachments],
    }


def device_row(d: Device, *, client: str | None, stale: bool) -> Row:
    return {
        "ref": d.ref,
        "connection": d.connection,
        "id": d.id,
        "name": d.name,
        "client": client,
        "site": d.site,
        "kind": d.kind,
        "os": d.os,
        "online": d.online,
        "last_seen": time(d.last_seen),
        "user": d.user,
        "ips": list(d.ips),
        "needs_reboot": d.needs_reboot,
        "maintenance": None
        if d.maintenance is None
        else {"until": time(d.maintenance.until), "reason": d.maintenance.reason},
        "cpu_percent": d.cpu_percent,
        "memory_percent": d.memory_percent,
        "disks": [
            {"name": k.name, "total_bytes": k.total_bytes, "free_bytes": k.free_bytes, "health": k.health}
            for k in d.disks
        ],
        "patches": {
            "status": d.patches.status,
            "pending": d.patches.pending,
            "failed": d.patches.failed,
            "approved": d.patches.approved,
        },
        "alerts_open": d.alerts_open,
        "flags": list(d.flags),
        "observed_at": time(d.observed_at),
        "stale": stale,
    }


def sample_row(s: Sample) -> Row:
    return {"at": time(s.at), "cpu_percent": s.cpu_percent, "memory_percent": s.memory_percent}


def device_detail_rows(detail: DeviceDetail, tickets: Sequence[str]) -> Row:
    """The keys that a single device adds."""
    return {
        "series": [sample_row(s) for s in detail.series],
        "event_log": [{"at": time(e.at), "message": e.message, "who": e.who} for e in detail.event_log],
        "checks": [
            {"name": c.name, "status": c.status, "message": c.message, "at": time(c.at)}
            for c in detail.checks
        ],
        "services": [{"name": s.name, "state": s.state, "start_type": s.start_type} for s in detail.services],
        "tickets": list(tickets),
        "unavailable": dict(detail.unavailable),
    }


def alert_row(a: Alert) -> Row:
    return {
        "ref": a.ref,
        "connection": a.connection,
        "id": a.id,
        "device_ref": a.device_ref,
        "client": a.client,
        "severity": a.severity,
        "message": a.message,
        "raised_at": time(a.raised_at),
        "cleared_at": time(a.cleared_at),
        "acknowledged": a.acknowledged,
        "ticket_ref": a.ticket_ref,
        "can": list(a.can),
    }


def result_row(result: Result) -> Row:
    outcome = result.outcome
    return {
        "ref": outcome.created_ref or outcome.ref,
        "action": result.action,
        "state": outcome.state.value,
        "reason": None if outcome.failure is None else str(outcome.failure),
        "plan_hash": result.plan_hash,
        "intent_id": result.intent_id,
    }


def known_refs(refs: Mapping[str, Sequence[str]], ticket: Ticket) -> Sequence[str]:
    return refs.get(ticket.ref, ())
