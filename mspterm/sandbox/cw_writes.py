"""What may be written to ConnectWise, and what it makes of it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import cw_patch
from mspterm.sandbox.clients import CLIENT, CONTACT
from mspterm.sandbox.cw_ask import Ask
from mspterm.sandbox.cw_configurations import CONFIGURATION_OFFSET
from mspterm.sandbox.cw_http import Refused, answer, body_of, invalid, not_found
from mspterm.sandbox.cw_rows import note_row, stamp, ticket_row, time_row
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import Mail, Note, TimeEntry

_FLAGS = {
    "detailDescriptionFlag": "description",
    "internalAnalysisFlag": "internal",
    "resolutionFlag": "resolution",
}
_TIME_FLAGS = {
    "addToDetailDescriptionFlag": "description",
    "addToInternalAnalysisFlag": "internal",
    "addToResolutionFlag": "resolution",
}
_BILLABLE = ("Billable", "DoNotBill", "NoCharge", "NoDefault")
# A project ticket's recordType can be ProjectIssue, which is no charge type (psa-apis 1.6).
_CHARGE_TYPES = ("ServiceTicket", "ProjectTicket", "ChargeCode", "Activity")
_PHONE = 1


async def _object(ask: Ask) -> dict[str, Any]:
    body = await body_of(ask.request)
    if not isinstance(body, dict):
        raise Refused(400, "InvalidObject", "The body must be an object.")
    return body


async def patch(ask: Ask) -> Response:
    ticket = ask.ticket()
    by, now = desk.ME.identifier, ask.world.now()
    changed = cw_patch.patched(ask.world, ticket, await body_of(ask.request), by, now)
    ask.world.tickets_changed[ticket.id] = changed
    return answer(ticket_row(ask.view, changed))


async def create(ask: Ask) -> Response:
    """Needs a summary and a company; the board is the member's default where none is named."""
    body, world = await _object(ask), ask.world
    if "company" not in body:
        raise invalid("ticket", "company", "company is required", "MissingRequiredField")
    client = CLIENT[cw_patch.company_of(body["company"])]
    now = world.now()
    ticket = Ticket(
        id=0,
        summary=cw_patch.summary_of(body.get("summary")),
        board=1,
        status=desk.STATUS_OF[1, desk.NEW].id,
        client=client.id,
        site=client.sites[0].id,
        contact=None,
        type=desk.TYPE_OF[1, "Incident"],
        team=None,
        owner=None,
        priority=8,
        source=_PHONE,
        created=now,
        updated=now,
        updated_by=desk.ME.identifier,
    )
    # By way of a patch, so that what a PATCH refuses is refused here too.
    given = ("board", "status", "contact", "type", "team", "owner", "priority", "impact", "severity")
    operations = [{"op": "add", "path": name, "value": body[name]} for name in given if body.get(name)]
    if operations:
        ticket = cw_patch.patched(world, ticket, operations, desk.ME.identifier, now)
    source = body.get("source")
    if isinstance(source, dict) and source.get("id") in desk.SOURCES:
        ticket.source = source["id"]
    ticket.parent = body.get("parentTicketId")
    # Last, so that a ticket which is refused uses up no id.
    ticket.id = world.new_ticket_id()
    world.add_ticket(ticket)
    _first_notes(ask, ticket, body)
    return answer(ticket_row(ask.view, ticket), 201)


def _first_notes(ask: Ask, ticket: Ticket, body: dict[str, Any]) -> None:
    """The texts that are taken at creation and never told in the row again."""
    now, me = ask.world.now(), desk.ME.id
    for field, kind in (
        ("initialDescription", "description"),
        ("initialInternalAnalysis", "internal"),
        ("initialResolution", "resolution"),
    ):
        if body.get(field):
            ask.world.add_note(ticket, str(body[field]), kind, now, member=me, issue=kind == "description")


async def add_note(ask: Ask) -> Response:
    """One of the three flags chooses who reads it; nothing is mailed unless `processNotifications`."""
    ticket = ask.world.edit(ask.ticket().id)
    body = await _object(ask)
    kinds = [kind for flag, kind in _FLAGS.items() if body.get(flag) is True]
    if len(kinds) != 1:
        raise invalid("ticketNote", "detailDescriptionFlag", "Exactly one of the three flags must be set")
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("ticketNote", "text", "text is required", "MissingRequiredField")
    member, contact = _author(body, ticket)
    note = ask.world.add_note(ticket, text, kinds[0], ask.world.now(), member=member, contact=contact)
    # A note of ours takes the mark away unless it says otherwise.
    ticket.customer_updated = bool(body.get("customerUpdatedFlag", False))
    if body.get("processNotifications") is True:
        _notify(ask, ticket, note)
    return answer(note_row(ask.view, note), 201)


def _author(body: dict[str, Any], ticket: Ticket) -> tuple[int | None, int | None]:
    if body.get("contact"):
        return None, cw_patch.contact_of(body["contact"], ticket.client)
    return (cw_patch.member_of(body["member"], "member") if body.get("member") else desk.ME.id), None


def _notify(ask: Ask, ticket: Ticket, note: Note) -> None:
    """Public texts go to the contact, internal ones to the owner."""
    if note.kind != "internal" and ticket.contact:
        ask.world.mails.append(Mail(ticket.id, CONTACT[ticket.contact].email, note.text))
        ask.life.customer_was_told(ticket.id)
    elif note.kind == "internal" and ticket.owner:
        ask.world.mails.append(Mail(ticket.id, desk.MEMBER[ticket.owner].email, note.text))


async def add_time(ask: Ask) -> Response:
    body, world = await _object(ask), ask.world
    ticket = _charged(ask, body)
    if ticket.state.no_time:
        raise invalid("timeEntry", "chargeToId", f"Time can't be entered in status {ticket.state.name}")
    start = cw_patch.instant(body.get("timeStart"), "timeStart")
    end = cw_patch.instant(body["timeEnd"], "timeEnd") if body.get("timeEnd") else None
    hours = body.get("actualHours")
    if hours is None and end is None:
        raise invalid("timeEntry", "timeEnd", "timeEnd or actualHours is required", "MissingRequiredField")
    if end is not None and end <= start:
        raise invalid("timeEntry", "timeEnd", "timeEnd must be after timeStart")
    if hours is None and end is not None:
        hours = (end - start).total_seconds() / 3600
    billable = body.get("billableOption", "Billable")
    if billable not in _BILLABLE:
        raise invalid("timeEntry", "billableOption", f"billableOption must be one of {', '.join(_BILLABLE)}")
    entry = TimeEntry(
        id=world.next_id("time", 5_001),
        ticket=ticket.id,
        ticket_kind=body["chargeToType"],
        member=cw_patch.member_of(body["member"], "member") if body.get("member") else desk.ME.id,
        start=start,
        end=end,
        hours=round(float(hours or 0), 2),
        notes=str(body.get("notes") or ""),
        kinds=tuple(kind for flag, kind in _TIME_FLAGS.items() if body.get(flag) is True),
        billable=billable,
        entered=world.now(),
        work_type=_named(body, "workType", desk.WORK_TYPES),
        work_role=_named(body, "workRole", desk.WORK_ROLES),
        internal_notes=str(body.get("internalNotes") or ""),
    )
    world.times[entry.id] = entry
    kept = world.edit(ticket.id)
    kept.hours = round(kept.hours + entry.hours, 2)
    world.stamp(kept, entry.entered, desk.ME.identifier)
    if body.get("emailContactFlag") is True and ticket.contact:
        world.mails.append(Mail(ticket.id, CONTACT[ticket.contact].email, entry.notes))
        ask.life.customer_was_told(ticket.id)
    return answer(time_row(ask.view, entry), 201)


def _charged(ask: Ask, body: dict[str, Any]) -> Ticket:
    kind = body.get("chargeToType")
    if kind not in _CHARGE_TYPES:
        raise invalid("timeEntry", "chargeToType", f"'{kind}' is not a charge type")
    ticket = ask.world.ticket(body["chargeToId"]) if isinstance(body.get("chargeToId"), int) else None
    if ticket is None or ticket.project != (kind == "ProjectTicket"):
        raise invalid("timeEntry", "chargeToId", "chargeToId does not exist", "InvalidReference")
    return ticket


def _named(body: dict[str, Any], field: str, names: dict[int, str]) -> int:
    given = body.get(field)
    if given is None:
        return 1
    found = cw_patch.reference(given, field, {name: key for key, name in names.items()}.get)
    if found not in names:
        raise invalid("timeEntry", field, f"{field} {found} does not exist", "InvalidReference")
    return found


async def schedule(ask: Ask) -> Response:
    """A dispatch: another technician on the ticket. Only service tickets (type 4) are scheduled here."""
    body = await _object(ask)
    if not isinstance(body.get("type"), dict) or body["type"].get("id") != 4:
        raise invalid("scheduleEntry", "type", "type must be service ticket (4)")
    ticket = ask.world.ticket(body["objectId"]) if isinstance(body.get("objectId"), int) else None
    if ticket is None:
        raise invalid("scheduleEntry", "objectId", "objectId does not exist", "InvalidReference")
    member = cw_patch.member_of(body.get("member"), "member")
    ask.world.stamp(ask.world.edit(ticket.id), ask.world.now(), desk.ME.identifier)
    row = {
        "id": ask.world.next_id("schedule", 70_001),
        "objectId": ticket.id,
        "type": {"id": 4, "identifier": "S"},
        "member": ask.view.member(member),
        "doneFlag": False,
        "_info": {"lastUpdated": stamp(ask.world.now())},
    }
    return answer(row, 201)


async def attach_configuration(ask: Ask) -> Response:
    ticket = ask.ticket()
    body = await _object(ask)
    number = body.get("id")
    if not isinstance(number, int) or number - CONFIGURATION_OFFSET not in ask.world.device_ids:
        raise invalid("configuration", "id", f"Configuration {number} does not exist", "InvalidReference")
    kept, device = ask.world.edit(ticket.id), number - CONFIGURATION_OFFSET
    if device not in kept.configurations:
        kept.configurations = [*kept.configurations, device]
    ask.world.stamp(kept, ask.world.now(), desk.ME.identifier)
    return answer({"id": number, "deviceIdentifier": str(device)}, 201)


async def detach_configuration(ask: Ask) -> Response:
    kept = ask.world.edit(ask.ticket().id)
    device = ask.number("configuration") - CONFIGURATION_OFFSET
    if device not in kept.configurations:
        raise not_found("Configuration", ask.number("configuration"))
    kept.configurations = [number for number in kept.configurations if number != device]
    return Response(status_code=204)
