"""ConnectWise's lists of what is set up: boards and what belongs to them, people, companies, plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.clients import CLIENT, CLIENTS, CONTACT
from mspterm.sandbox.cw_http import not_found
from mspterm.sandbox.cw_rows import Row, View, company_row, contact_row, stamp, time_row

Rows = Callable[[View, int], list[Row]]

# What each member's row must have, and nobody here looks at.
_MEMBER_SETTINGS = {
    "defaultEmail": "Office",
    "defaultPhone": "Office",
    "hireDate": "2020-01-06T00:00:00Z",
    "companyActivityTabFormat": "SummaryList",
    "invoiceTimeTabFormat": "SummaryList",
    "invoiceScreenDefaultTabFormat": "ShowInvoicingTab",
    "invoicingDisplayOptions": "RemainOnInvoicingScreen",
    "agreementInvoicingDisplayOptions": "RemainOnInvoicingScreen",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list under a path; `{parent}` in it is the id that the rows belong to. `fields` are those
    that conditions may name besides the ones that rows carry."""

    path: str
    rows: Rows
    fields: tuple[str, ...] = ()


def _boards(view: View, parent: int) -> list[Row]:
    return [
        {
            "id": board.id,
            "name": board.name,
            "location": {"id": 2, "name": "Head Office"},
            "department": {"id": 10, "identifier": "Services", "name": "Services"},
            "inactiveFlag": False,
            "projectFlag": board.project,
            "sendToContactFlag": True,
            "billTime": "NoDefault",
            "_info": _info(view),
        }
        for board in desk.BOARDS
    ]


def _statuses(view: View, parent: int) -> list[Row]:
    _board(parent)
    return [
        {
            "id": status.id,
            "name": status.name,
            "board": view.board(parent),
            "sortOrder": status.sort,
            "displayOnBoard": True,
            "inactive": False,
            "closedStatus": status.closed,
            "timeEntryNotAllowed": status.no_time,
            "defaultFlag": status.name == desk.NEW,
            "escalationStatus": status.stage,
            "_info": _info(view),
        }
        for status in desk.STATUSES.values()
        if status.board == parent
    ]


def _types(view: View, parent: int) -> list[Row]:
    _board(parent)
    return [
        {
            "id": key,
            "name": name,
            "category": "Proactive" if name in ("Alert", "Change", "Project") else "Reactive",
            "defaultFlag": name == desk.BOARD[parent].types[0],
            "inactiveFlag": False,
            "requestForChangeFlag": name == "Change",
            "board": view.board(parent),
            "_info": _info(view),
        }
        for key, (name, board) in desk.TYPES.items()
        if board == parent
    ]


def _board_teams(view: View, parent: int) -> list[Row]:
    tier = _board(parent).tier
    # Nobody is of the tier `vendor`: its board is the specialists'.
    members = [m.id for m in desk.MEMBERS if m.tier == ("L3" if tier == "vendor" else tier)]
    return [
        {
            "id": key,
            "name": name,
            "teamLeader": view.member(members[0]),
            "members": members,
            "defaultFlag": name == desk.BOARD[parent].teams[0],
            "boardId": parent,
            "locationId": 2,
            "businessUnitId": 10,
            "_info": _info(view),
        }
        for key, (name, board) in desk.TEAMS.items()
        if board == parent
    ]


def _teams(view: View, parent: int) -> list[Row]:
    """Over all boards; this route doesn't tell the members."""
    return [{"id": key, "name": name, "_info": _info(view)} for key, (name, _) in desk.TEAMS.items()]


def _board(id: int) -> desk.Board:
    if id not in desk.BOARD:
        raise not_found("Board", id)
    return desk.BOARD[id]


def _priorities(view: View, parent: int) -> list[Row]:
    return [
        {
            "id": priority.id,
            "name": priority.name,
            "color": priority.color,
            "sortOrder": priority.sort,
            "defaultFlag": priority.sort == 3,
            "_info": _info(view),
        }
        for priority in desk.PRIORITIES
    ]


def _slas(view: View, parent: int) -> list[Row]:
    return [
        {"id": key, "name": name, "basedOn": "AllHours" if key == 1 else "Custom", "defaultFlag": key == 3}
        for key, name in desk.PLANS.items()
    ]


def _sla_priorities(view: View, parent: int) -> list[Row]:
    if parent not in desk.PLANS:
        raise not_found("SLA", parent)
    return [
        {
            "id": parent * 10 + priority.sort,
            "sla": {"id": parent, "name": desk.PLANS[parent]},
            "priority": view.priority(priority.id),
            "respondHours": priority.hours[0],
            "planWithin": priority.hours[1],
            "resolutionHours": priority.hours[2],
        }
        for priority in desk.PRIORITIES
        if priority.hours
    ]


def _members(view: View, parent: int) -> list[Row]:
    rows = []
    for info in _member_infos(view, parent):
        row = {name: value for name, value in info.items() if name != "fullName"}
        member = desk.MEMBER[row["id"]]
        row |= {"title": member.tier, **_MEMBER_SETTINGS}
        row |= {"officeEmail": member.email, "primaryEmail": member.email, "officePhone": member.phone}
        rows.append(row)
    return rows


def _member_infos(view: View, parent: int) -> list[Row]:
    """`/system/info/members`, for which any role suffices."""
    return [
        {
            "id": member.id,
            "identifier": member.identifier,
            "firstName": member.first,
            "lastName": member.last,
            "fullName": member.name,
            "defaultEmail": member.email,
            "licenseClass": "F",
            "inactiveFlag": False,
            "_info": _info(view),
        }
        for member in desk.MEMBERS
    ]


def _companies(view: View, parent: int) -> list[Row]:
    return [company_row(view, client) for client in CLIENTS]


def _sites(view: View, parent: int) -> list[Row]:
    if parent not in CLIENT:
        raise not_found("Company", parent)
    return [
        {
            "id": site.id,
            "name": site.name,
            "city": site.city,
            "primaryAddressFlag": site is CLIENT[parent].sites[0],
            "inactiveFlag": False,
            "company": view.company(parent),
            "_info": _info(view),
        }
        for site in CLIENT[parent].sites
    ]


def _contacts(view: View, parent: int) -> list[Row]:
    return [contact_row(view, contact) for contact in CONTACT.values()]


def _communications(view: View, parent: int) -> list[Row]:
    if parent not in CONTACT:
        raise not_found("Contact", parent)
    items: list[Row] = contact_row(view, CONTACT[parent])["communicationItems"]
    return [{**item, "contactId": parent} for item in items]


def _named(names: dict[int, str], **more: Any) -> Rows:
    return lambda view, parent: [{"id": key, "name": name, **more} for key, name in names.items()]


def _times(view: View, parent: int) -> list[Row]:
    return [time_row(view, entry) for entry in view.world.times.values()]


def _info(view: View) -> Row:
    # What is set up doesn't change while the world lasts.
    return {"lastUpdated": stamp(view.world.clock.began), "updatedBy": "zadmin"}


LISTINGS = (
    Listing("service/boards", _boards),
    Listing("service/boards/{parent:int}/statuses", _statuses),
    Listing("service/boards/{parent:int}/types", _types),
    Listing("service/boards/{parent:int}/teams", _board_teams),
    Listing("service/teams", _teams),
    Listing("service/priorities", _priorities),
    Listing("service/sources", _named(desk.SOURCES, defaultFlag=False)),
    Listing("service/SLAs", _slas),
    Listing("service/SLAs/{parent:int}/priorities", _sla_priorities),
    Listing("system/members", _members),
    Listing("system/info/members", _member_infos),
    Listing("company/companies", _companies),
    Listing("company/companies/{parent:int}/sites", _sites),
    Listing("company/contacts", _contacts),
    Listing("company/contacts/{parent:int}/communications", _communications),
    # Its fields are named, since the list begins empty.
    Listing(
        "time/entries", _times, ("chargeToType", "chargeToId", "member", "timeStart", "dateEntered", "id")
    ),
    Listing(
        "time/workTypes",
        _named(desk.WORK_TYPES, inactiveFlag=False, billTime="Billable", rateType="Multiplier", rate=1.0),
    ),
    Listing("time/workRoles", _named(desk.WORK_ROLES, inactiveFlag=False)),
)
