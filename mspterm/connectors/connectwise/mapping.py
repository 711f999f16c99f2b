"""ConnectWise's tickets and configurations as the desk's. Pure: wire values in, domain values out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from mspterm.config.model import Connection
from mspterm.connectors.connectwise import wire
from mspterm.connectors.connectwise.sla import clocks, when
from mspterm.domain.device import Asset
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import Contact, Ticket

# NoEscalation (Do Not Escalate) is the stage in which ConnectWise's clocks stand still.
STAGES = {
    "NotResponded": StatusClass.NEW,
    "Responded": StatusClass.OPEN,
    "ResolutionPlan": StatusClass.OPEN,
    "Resolved": StatusClass.RESOLVED,
    "NoEscalation": StatusClass.WAITING,
}
# A status is known by its name where its board has not told yet, and what it waits for always is.
_WAITS = (
    ("us", r"respond|updated|replied"),
    ("customer", r"customer|client|contact|user|waiting on them"),
    ("vendor", r"vendor|third.?party|supplier|manufacturer"),
    ("parts", r"parts?\b|material|order"),
    ("approval", r"approv|quote"),
    ("schedule", r"schedul|appointment|dispatch"),
)
_WAITING = re.compile(r"\bwait|\bhold\b|pending|parts|schedul|approval", re.IGNORECASE)
_NEW = re.compile(r"^\W*new\b|unassigned|not started", re.IGNORECASE)
_DONE = re.compile(r"\bclosed?\b|cancel|resolved|complete", re.IGNORECASE)
_LEVEL = re.compile(r"\b(?:p|prio|priority)?\s*([1-5])\b", re.IGNORECASE)
_LEVELS = (
    (1, r"critical|emergency|outage"),
    (2, r"high|urgent|quick"),
    (3, r"medium|normal"),
    (4, r"low|minor|no sla"),
)
_TYPES = (
    ("alert", r"alert|monitor"),
    ("change", r"\bchange\b"),
    ("problem", r"\bproblem\b"),
    ("request", r"request|onboard|new user|move|install"),
)
_SOURCES = (
    ("phone", r"phone|call|voice"),
    ("email", r"e-?mail"),
    ("portal", r"portal|web|chat"),
    ("alert", r"alert|monitor|rmm|automate|ninja|\bagent\b"),
    ("technician", r"internal|technician|in.?person|walk"),
)
# The first that fits wins, so their order matters: a Hyper-V host is a hypervisor and no server.
_KINDS = (
    ("hypervisor", r"hyper-?v|esxi|vmware|proxmox|hypervisor|\bhost\b"),
    ("network", r"firewall|switch|router|access point|network|printer|wireless|\bups\b"),
    ("mobile", r"iphone|ipad|android|mobile|tablet|phone"),
    ("server", r"server|\bnas\b|\bsan\b"),
    ("workstation", r"workstation|desktop|laptop|notebook|\bpc\b|windows 1\d|macos|imac|macbook"),
)


def _first(words: tuple[tuple[str, str], ...], text: str, default: str) -> str:
    return next((name for name, pattern in words if re.search(pattern, text, re.IGNORECASE)), default)


def line(value: str | int | None) -> SafeText | None:
    """One line of vendor text; None for what is empty."""
    return clean(str(value)) if value not in (None, "") else None


def named(ref: wire.Ref | None) -> SafeText | None:
    return line(ref.name or ref.identifier) if ref else None


def custom(fields: list[wire.CustomField] | None, caption: str) -> str | None:
    """A custom field's value by its caption, None where it is empty or not there."""
    found = next((f.value for f in fields or [] if f.caption == caption), None)
    return None if found in (None, "") else str(found)


@dataclass(frozen=True, slots=True)
class Context:
    """What a ticket's row doesn't say: its board's statuses, and what was learnt of it elsewhere."""

    observed_at: datetime
    statuses: Mapping[int, wire.Status] = field(default_factory=dict)
    replied_at: datetime | None = None
    asset_ids: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TenantMap:
    """The maps of one tenant, applied to what its ConnectWise sends."""

    connection: Connection
    site: str
    company: str

    def ref(self, id: int | str) -> str:
        return f"{self.connection.name}:{clean(str(id))}"

    def ticket(self, row: wire.Ticket, context: Context) -> Ticket:
        """A ticket. Raises ValueError where the row has no time of its last change."""
        updated = when(row.info.last_updated)
        if updated is None:
            raise ValueError("_info.lastUpdated is no date")
        # `_info` is its only place: no row has a dateEntered of its own.
        created = when(row.info.date_entered) or updated
        status_class = self.status_class(row, context.statuses)
        board = named(row.board)
        label = named(row.priority)
        categories = [name for name in map(named, (row.type, row.sub_type, row.item)) if name]
        waiting = status_class is StatusClass.WAITING
        return Ticket(
            ref=self.ref(row.id),
            connection=self.connection.name,
            id=clean(str(row.id)),
            number=clean(str(row.id)),
            summary=clean(row.summary or "(no summary)"),
            status=named(row.status) or clean("(no status)"),
            status_class=status_class,
            created_at=created,
            updated_at=updated,
            observed_at=context.observed_at,
            type=_type(row),
            client=self.client(row),
            client_id=line(row.company.id) if row.company else None,
            site=named(row.site) or line(row.site_name),
            contact=contact(row),
            waiting_on=_waiting_on(row) if waiting else None,
            priority=self.priority(label),
            priority_label=label,
            queue=board,
            queue_id=line(row.board.id) if row.board else None,
            tier=self.connection.tiers.get(board or ""),
            assignee=line(row.owner.label) if row.owner else None,
            assignee_id=line(row.owner.identifier or row.owner.id) if row.owner else None,
            category=clean(" / ".join(categories)) if categories else None,
            agreement=named(row.agreement),
            source=_first(_SOURCES, row.source.name or "", "other") if row.source else "other",
            parent=self.ref(row.parent_ticket_id) if row.parent_ticket_id else None,
            children=context.children,
            customer_replied_at=context.replied_at,
            next_action_at=self.next_action(row),
            url=self.url(row.id),
            asset_ids=context.asset_ids,
            minutes_worked=round(row.actual_hours * 60) if row.actual_hours is not None else None,
            version=line(row.info.last_updated),
            sla=clocks(row, waiting=waiting, created=created, now=context.observed_at),
        )

    def status_class(self, row: wire.Ticket, statuses: Mapping[int, wire.Status]) -> StatusClass:
        """The tenant's word for it, else what the board says of its status, else its name."""
        name = (row.status.name if row.status else None) or ""
        known = statuses.get(row.status.id or 0) if row.status else None
        mapped = self.class_of(known or wire.Status(0, name))
        if row.closed_flag and mapped not in (StatusClass.RESOLVED, StatusClass.CLOSED):
            return StatusClass.CLOSED
        return mapped

    def class_of(self, status: wire.Status) -> StatusClass:
        """What a status means; one that says nothing counts as open, so that no ticket is hidden."""
        if (mapped := self.connection.status_classes.get(status.name)) is not None:
            return StatusClass(mapped)
        if status.closed_status:
            return StatusClass.CLOSED
        if status.escalation_status in ("Resolved", "NotResponded"):
            return STAGES[status.escalation_status]
        if _WAITING.search(status.name):
            return StatusClass.WAITING
        if status.escalation_status in STAGES:
            return STAGES[status.escalation_status]
        if _DONE.search(status.name):
            return StatusClass.RESOLVED
        return StatusClass.NEW if _NEW.search(status.name) else StatusClass.OPEN

    def priority(self, label: str | None) -> int:
        """Our 1..5 for a tenant's priority: its map, else the number or the word in the name."""
        if label is None:
            return 4
        if (mapped := self.connection.priorities.get(label)) is not None:
            return mapped
        if (level := _LEVEL.search(label)) is not None:
            return int(level[1])
        return next((ours for ours, pattern in _LEVELS if re.search(pattern, label, re.IGNORECASE)), 4)

    def client(self, row: wire.Ticket) -> SafeText | None:
        source = self.connection.client_from or "company"
        return line(custom(row.custom_fields, source[3:])) if source.startswith("cf:") else named(row.company)

    def next_action(self, row: wire.Ticket) -> datetime | None:
        """The date kept in a custom field where the tenant has one, else the ticket's required date."""
        source = self.connection.next_from or "requiredDate"
        return when(custom(row.custom_fields, source[3:]) if source.startswith("cf:") else row.required_date)

    def url(self, id: int) -> str:
        """The page of the web interface that shows a ticket."""
        page = "/v4_6_release/services/system_io/Service/fv_sr100_request.rails"
        return f"{self.site}{page}?service_recid={id}&companyName={quote(self.company, safe='')}"

    def asset(self, row: wire.Configuration) -> Asset:
        """A configuration. Its `deviceIdentifier` is what the RMM's own integration writes there."""
        kind, system = named(row.type), line(row.os_type)
        words = [word for word in (kind, line(row.model_number), system) if word]
        return Asset(
            ref=f"{self.connection.name}:asset:{row.id}",
            connection=self.connection.name,
            id=clean(str(row.id)),
            name=clean(row.name or "(no name)"),
            client=named(row.company),
            client_id=line(row.company.id) if row.company else None,
            serial=line(row.serial_number),
            kind=_first(_KINDS, f"{kind or ''} {system or ''} {row.name}", "other"),
            description=clean(", ".join(words)) if words else None,
            device_uid=line(row.device_identifier),
        )


def contact(row: wire.Ticket, person: wire.Contact | None = None) -> Contact | None:
    """The ticket's person: what its row says, with the phones of the contact's own record."""
    name = (
        row.contact_name or (row.contact.name if row.contact else None) or (person.label if person else None)
    )
    if not name:
        return None
    items = (person.communication_items or []) if person else []
    own = [(row.contact_phone_number, row.contact_phone_extension)]
    numbers = [(i.value, i.extension) for i in items if i.communication_type == "Phone"]
    # In this order and once each: the row's own number is mostly in the record too.
    phones = dict.fromkeys(_phone(*number) for number in [*own, *numbers] if number[0])
    mails = [row.contact_email_address, *(i.value for i in items if i.communication_type == "Email")]
    return Contact(clean(name), tuple(phones), line(next((mail for mail in mails if mail), None)))


def _phone(number: str | None, extension: str | None) -> SafeText:
    return clean(f"{number} ext. {extension}" if extension else number or "")


def _type(row: wire.Ticket) -> str:
    if row.record_type in ("ProjectTicket", "ProjectIssue"):
        return "project"
    words = " ".join((ref.name or "") for ref in (row.type, row.sub_type, row.source) if ref)
    return _first(_TYPES, words, "incident")


def _waiting_on(row: wire.Ticket) -> str | None:
    found = _first(_WAITS, (row.status.name if row.status else None) or "", "")
    return found or None
