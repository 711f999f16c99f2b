"""ConnectWise's rows. A field is made when it is asked for; one that has no value is left out, as the
cloud leaves it out. A ticket's fields are a table, so that a condition costs only what it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import sla
from mspterm.sandbox.clients import CLIENT, CONTACT, SITE, Client, Contact
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import Note, TimeEntry, World

Row = dict[str, Any]
CODEBASE = "v2025_1/"


def stamp(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class View:
    """One question's look at the world. `base` is the API's address; `pinned` asks for 2022.1 rows."""

    world: World
    base: str
    pinned: bool = False
    _goals: dict[int, sla.Goals | None] = field(default_factory=dict)

    def goals(self, ticket: Ticket) -> sla.Goals | None:
        """A ticket's due times, worked out once for all the fields of its row that tell of them."""
        if ticket.id not in self._goals:
            self._goals[ticket.id] = sla.goals(ticket, self.world.clock)
        return self._goals[ticket.id]

    def ref(self, path: str, id: int, name: str, kind: str, **more: Any) -> Row:
        return {"id": id, **more, "name": name, "_info": {f"{kind}_href": f"{self.base}/{path}/{id}"}}

    def member(self, id: int | None) -> Row | None:
        if id is None:
            return None
        member = desk.MEMBER[id]
        return self.ref("system/members", id, member.name, "member", identifier=member.identifier)

    def company(self, id: int) -> Row:
        client = CLIENT[id]
        return self.ref("company/companies", id, client.name, "company", identifier=client.code)

    def board(self, id: int) -> Row:
        return self.ref("service/boards", id, desk.BOARD[id].name, "board")

    def status(self, status: desk.Status) -> Row:
        return self.ref(f"service/boards/{status.board}/statuses", status.id, status.name, "status")

    def contact(self, id: int | None) -> Row | None:
        return None if id is None else self.ref("company/contacts", id, CONTACT[id].name, "contact")

    def priority(self, id: int) -> Row:
        priority = desk.PRIORITY[id]
        return self.ref("service/priorities", id, priority.name, "priority", sort=priority.sort)


Field = Callable[[View, Ticket], Any]


def _person(get: Callable[[Contact], Any]) -> Field:
    return lambda view, ticket: get(CONTACT[ticket.contact]) if ticket.contact else None


def _goal(get: Callable[[sla.Goals], datetime]) -> Field:
    """A due time; rows of the pinned 2022.1 model don't carry it."""

    def field(view: View, ticket: Ticket) -> Any:
        found = None if view.pinned else view.goals(ticket)
        return stamp(get(found)) if found else None

    return field


def _in_sla(view: View, ticket: Ticket) -> bool:
    found = view.goals(ticket)
    return found is None or sla.in_time(ticket, found, view.world.now())


def _minutes(get: Callable[[Ticket], datetime | None]) -> Field:
    def field(view: View, ticket: Ticket) -> int:
        at = get(ticket)
        # 0 until it is reached, where other fields are left out (psa-apis 1.10).
        return int((at - ticket.created).total_seconds() // 60) if at else 0

    return field


def _agreement(view: View, ticket: Ticket) -> Row | None:
    name = CLIENT[ticket.client].agreement
    return view.ref("finance/agreements", 300 + ticket.client, name, "agreement") if name else None


def _info(view: View, ticket: Ticket) -> Row:
    here = f"{view.base}/service/tickets/{ticket.id}"
    return {
        "lastUpdated": stamp(ticket.updated),
        "updatedBy": ticket.updated_by,
        # Here only: rows have no field of that name at the top (psa-apis 1.5).
        "dateEntered": stamp(ticket.created),
        "enteredBy": "zadmin",
        "activities_href": f"{view.base}/sales/activities?conditions=ticket/id={ticket.id}",
        "notes_href": f"{here}/notes",
        "configurations_href": f"{here}/configurations",
        "timeentries_href": f"{view.base}/time/entries?conditions=chargeToId={ticket.id}",
    }


def _wait_minutes(view: View, ticket: Ticket) -> int:
    waits = ((b or view.world.now()) - a for a, b in ticket.pauses)
    return int(sum(wait.total_seconds() for wait in waits) // 60)


def _address(view: View, ticket: Ticket) -> str:
    return SITE[ticket.site][0].city


TICKET: dict[str, Field] = {
    "id": lambda view, t: t.id,
    "summary": lambda view, t: t.summary,
    "recordType": lambda view, t: "ProjectTicket" if t.project else "ServiceTicket",
    "board": lambda view, t: view.board(t.board),
    "status": lambda view, t: view.status(t.state),
    "company": lambda view, t: view.company(t.client),
    "site": lambda view, t: view.ref(
        f"company/companies/{t.client}/sites", t.site, SITE[t.site][0].name, "site"
    ),
    "siteName": lambda view, t: SITE[t.site][0].name,
    "city": _address,
    "contact": lambda view, t: view.contact(t.contact),
    "contactName": _person(lambda c: c.name),
    "contactPhoneNumber": _person(lambda c: c.phone),
    "contactEmailAddress": _person(lambda c: c.email),
    "type": lambda view, t: view.ref(
        f"service/boards/{t.board}/types", t.type, desk.TYPES[t.type][0], "type"
    ),
    "team": lambda view, t: (
        view.ref("service/teams", t.team, desk.TEAMS[t.team][0], "team") if t.team else None
    ),
    "owner": lambda view, t: view.member(t.owner),
    "priority": lambda view, t: view.priority(t.priority),
    "serviceLocation": lambda view, t: view.ref("service/locations", 4, "Remote", "location"),
    "source": lambda view, t: view.ref("service/sources", t.source, desk.SOURCES[t.source], "source"),
    "agreement": _agreement,
    "severity": lambda view, t: t.severity,
    "impact": lambda view, t: t.impact,
    "requiredDate": lambda view, t: stamp(t.required),
    "actualHours": lambda view, t: t.hours or None,
    "allowAllClientsPortalView": lambda view, t: False,
    "customerUpdatedFlag": lambda view, t: t.customer_updated,
    "automaticEmailContactFlag": lambda view, t: t.contact is not None,
    "automaticEmailResourceFlag": lambda view, t: True,
    "automaticEmailCcFlag": lambda view, t: False,
    "closedDate": lambda view, t: stamp(t.closed),
    "closedBy": lambda view, t: t.closed_by,
    "closedFlag": lambda view, t: t.is_closed,
    "approved": lambda view, t: t.approved,
    "dateResponded": lambda view, t: stamp(t.responded),
    "dateResplan": lambda view, t: stamp(t.planned),
    "dateResolved": lambda view, t: stamp(t.resolved),
    "respondMinutes": _minutes(lambda t: t.responded),
    "resPlanMinutes": _minutes(lambda t: t.planned),
    "resolveMinutes": _minutes(lambda t: t.resolved),
    "minutesWaiting": _wait_minutes,
    "isInSla": _in_sla,
    "resources": lambda view, t: desk.MEMBER[t.owner].identifier if t.owner else None,
    "parentTicketId": lambda view, t: t.parent,
    "hasChildTicket": lambda view, t: bool(t.children),
    "hasMergedChildTicketFlag": lambda view, t: False,
    "mergedParentTicket": lambda view, t: (
        view.ref("service/tickets", t.merged_into, "", "ticket") if t.merged_into else None
    ),
    "sla": lambda view, t: view.ref(
        "service/SLAs", CLIENT[t.client].plan, desk.PLANS[CLIENT[t.client].plan], "sla"
    ),
    "slaStatus": lambda view, t: sla.status_text(t, view.goals(t)),
    "respondByGoalUTC": _goal(lambda g: g.respond),
    "resplanGoalUTC": _goal(lambda g: g.plan),
    "resolutionGoalUTC": _goal(lambda g: g.resolve),
    "_info": _info,
    "customFields": lambda view, t: t.custom or None,
}

# Accepted in conditions and orderBy, though rows carry them under `_info` only.
HIDDEN: dict[str, Field] = {
    "lastUpdated": lambda view, t: stamp(t.updated),
    "dateEntered": lambda view, t: stamp(t.created),
}


def ticket_row(view: View, ticket: Ticket) -> Row:
    return {name: value for name, make in TICKET.items() if (value := make(view, ticket)) is not None}


def note_row(view: View, note: Note) -> Row:
    # Either a member or a contact, never both (psa-apis 1.6).
    author = note.member and view.member(note.member)
    contact = view.contact(note.contact)
    row = {
        "id": note.id,
        "ticketId": note.ticket,
        "text": note.text,
        "detailDescriptionFlag": note.kind == "description",
        "internalAnalysisFlag": note.kind == "internal",
        "resolutionFlag": note.kind == "resolution",
        "issueFlag": note.issue,
        "member": author or None,
        "contact": contact,
        "customerUpdatedFlag": note.contact is not None,
        "processNotifications": False,
        "dateCreated": stamp(note.at),
        "createdBy": desk.MEMBER[note.member].identifier if note.member else "zadmin",
        # For reading only: what a writer sets is one of the three flags above (psa-apis 1.6).
        "internalFlag": note.kind == "internal",
        "externalFlag": note.kind != "internal",
        "_info": {"lastUpdated": stamp(note.at), "updatedBy": "zadmin"},
    }
    return _present(row)


def all_note_rows(view: View, notes: list[Note], times: list[TimeEntry]) -> list[Row]:
    """`/allNotes`: the notes and the texts of time entries, oldest first."""
    rows = [
        _present(
            {
                "id": note.id,
                "noteType": "TicketNote",
                "ticket": {"id": note.ticket},
                "text": note.text,
                "detailDescriptionFlag": note.kind == "description",
                "internalAnalysisFlag": note.kind == "internal",
                "resolutionFlag": note.kind == "resolution",
                "issueFlag": note.issue,
                "bundledFlag": False,
                "mergedFlag": False,
                "member": view.member(note.member),
                "contact": view.contact(note.contact),
                "_info": {"lastUpdated": stamp(note.at)},
            }
        )
        for note in notes
    ]
    rows += [_time_note(view, entry) for entry in times if entry.notes]
    return sorted(rows, key=lambda row: str(row["_info"]["lastUpdated"]))


def _time_note(view: View, entry: TimeEntry) -> Row:
    return _present(
        {
            "id": entry.id,
            "noteType": "TimeEntryNote",
            "ticket": {"id": entry.ticket},
            "text": entry.notes,
            "detailDescriptionFlag": "description" in entry.kinds,
            "internalAnalysisFlag": "internal" in entry.kinds,
            "resolutionFlag": "resolution" in entry.kinds,
            "timeStart": stamp(entry.start),
            "timeEnd": stamp(entry.end),
            "bundledFlag": False,
            "mergedFlag": False,
            "issueFlag": False,
            "member": view.member(entry.member),
            "_info": {"lastUpdated": stamp(entry.entered)},
        }
    )


def time_row(view: View, entry: TimeEntry) -> Row:
    ticket = view.world.ticket(entry.ticket)
    return _present(
        {
            "id": entry.id,
            "company": view.company(ticket.client) if ticket else None,
            "chargeToId": entry.ticket,
            "chargeToType": entry.ticket_kind,
            "member": view.member(entry.member),
            "workType": view.ref(
                "time/workTypes", entry.work_type, desk.WORK_TYPES[entry.work_type], "workType"
            ),
            "workRole": view.ref(
                "time/workRoles", entry.work_role, desk.WORK_ROLES[entry.work_role], "workRole"
            ),
            "timeStart": stamp(entry.start),
            "timeEnd": stamp(entry.end),
            "actualHours": entry.hours,
            "billableOption": entry.billable,
            "notes": entry.notes or None,
            "internalNotes": entry.internal_notes or None,
            "addToDetailDescriptionFlag": "description" in entry.kinds,
            "addToInternalAnalysisFlag": "internal" in entry.kinds,
            "addToResolutionFlag": "resolution" in entry.kinds,
            "enteredBy": desk.MEMBER[entry.member].identifier,
            "dateEntered": stamp(entry.entered),
            "status": "Open",
            "_info": {"lastUpdated": stamp(entry.entered), "updatedBy": desk.MEMBER[entry.member].identifier},
        }
    )


def company_row(view: View, client: Client) -> Row:
    return _present(
        {
            "id": client.id,
            "identifier": client.code,
            "name": client.name,
            "status": {"id": 1, "name": "Active"},
            "city": client.sites[0].city,
            "phoneNumber": client.contacts[0].phone,
            "market": {"id": client.id, "name": client.trade.capitalize()},
            "defaultContact": view.contact(client.contacts[0].id),
            "deletedFlag": False,
            "types": [{"id": 1, "name": "Client"}],
            "site": {"id": client.sites[0].id, "name": client.sites[0].name},
            "_info": {"lastUpdated": stamp(view.world.clock.began), "updatedBy": "zadmin"},
        }
    )


def contact_row(view: View, contact: Contact) -> Row:
    items = (
        ("Direct", "Phone", contact.phone),
        ("Cell", "Phone", contact.mobile),
        ("Email", "Email", contact.email),
    )
    return {
        "id": contact.id,
        "firstName": contact.first,
        "lastName": contact.last,
        "company": view.company(contact.client),
        "site": {"id": contact.site, "name": SITE[contact.site][0].name},
        "inactiveFlag": False,
        "title": contact.title,
        "defaultPhoneType": "Direct",
        "defaultPhoneNbr": contact.phone,
        # The first person of a client has an id that ends in 00.
        "defaultFlag": contact.id % 100 == 0,
        "communicationItems": [
            {
                "id": contact.id * 10 + place,
                "type": {"id": place + 1, "name": name},
                "value": value,
                "defaultFlag": kind == "Email" or name == "Direct",
                "communicationType": kind,
            }
            for place, (name, kind, value) in enumerate(items)
        ],
        "types": [],
        "_info": {"lastUpdated": stamp(view.world.clock.began), "updatedBy": "zadmin"},
    }


def _present(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
