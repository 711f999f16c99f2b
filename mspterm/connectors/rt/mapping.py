"""RT's tickets and assets as the desk's. Pure: wire values in, domain values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mspterm.config.model import Connection
from mspterm.connectors.rt.wire import WireAsset, WireCustomField, WireTicket, WireUser
from mspterm.domain.device import Asset
from mspterm.domain.row import ClockState, StatusClass
from mspterm.domain.text import SafeText, clean
from mspterm.domain.ticket import NO_CLOCK, Clock, Contact, Sla, Ticket

STATUS_CLASSES = {
    "new": StatusClass.NEW,
    "open": StatusClass.OPEN,
    "stalled": StatusClass.WAITING,
    "resolved": StatusClass.RESOLVED,
    "rejected": StatusClass.CLOSED,
    "deleted": StatusClass.CLOSED,
}
# RT's default %PriorityAsString, highest first; a number between belongs to the next one below.
PRIORITY_LABELS = ((100, "High"), (50, "Medium"), (0, "Low"))
PRIORITIES = {"High": 2, "Medium": 3, "Low": 4}
NOBODY = "Nobody"
NEVER_YEAR = 1970
# RT's SLA sets Starts by itself at creation; only a later one is somebody's intention.
STARTS_BY_ITSELF = timedelta(minutes=1)
# Creating a ticket updates it too, a moment later.
CREATION_TAKES = timedelta(seconds=5)

# The first that fits wins, so their order matters: a Hyper-V server is a hypervisor.
_KINDS = (
    ("hypervisor", r"hyper-?v|esxi|vmware|proxmox|hypervisor|\bHV\d"),
    ("network", r"firewall|switch|router|access point|forti|ubiquiti|meraki|\b(FW|SW|AP|RT)\d|printer"),
    ("mobile", r"iphone|ipad|android|mobile|tablet"),
    ("server", r"server|poweredge|proliant|\b(DC|SRV|SQL|FS|EX|TS|APP|WEB|NAS)\d|\bNAS\b"),
    (
        "workstation",
        r"laptop|notebook|desktop|workstation|latitude|thinkpad|elitebook|optiplex|\b(LT|PC|WS|MB)\b",
    ),
)
_KIND_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)


def when(value: str | None) -> datetime | None:
    """An instant of RT's as UTC; None for its "never" (1970) and for what is no date."""
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None if at.year <= NEVER_YEAR else at


def person(user: WireUser) -> SafeText:
    """The name a person reads."""
    return clean(user.real_name or user.login)


def custom_field(fields: list[WireCustomField], name: str) -> str | None:
    """The first value of a custom field, None where it is empty or not on the item."""
    for field in fields:
        if field.name == name:
            return next((value for value in field.values if value), None)
    return None


@dataclass(frozen=True, slots=True)
class TenantMap:
    """The maps of one tenant, applied to what its RT sends."""

    connection: Connection
    base_url: str

    def ref(self, id: str | int) -> str:
        return f"{self.connection.name}:{id}"

    def ticket(
        self, wire: WireTicket, *, observed_at: datetime, replied_at: datetime | None = None
    ) -> Ticket:
        """A ticket of a list. `replied_at` is the customer's last word where it is known better.

        Raises ValueError where the item lacks a date that no ticket is without.
        """
        created, updated = when(wire.created), when(wire.last_updated)
        if created is None or updated is None:
            raise ValueError("Created or LastUpdated is no date")
        status_class = self.status_class(wire.status)
        queue = wire.queue.name or str(wire.queue.id)
        parents, children, assets = self._links(wire)
        owned = wire.owner.login not in ("", NOBODY)
        client = self._client(wire)
        return Ticket(
            ref=self.ref(clean(str(wire.id))),
            connection=self.connection.name,
            id=clean(str(wire.id)),
            number=clean(str(wire.id)),
            summary=clean(wire.subject or "(no subject)"),
            status=clean(wire.status),
            status_class=status_class,
            created_at=created,
            updated_at=updated,
            observed_at=observed_at,
            client=client,
            # RT has no clients of its own, so that the name is the id.
            client_id=client,
            contact=contact(wire.requestor),
            priority=self.priority(wire.priority),
            priority_label=clean(_label(wire.priority)),
            queue=clean(queue) if queue else None,
            queue_id=clean(str(wire.queue.id)) or None,
            tier=self.connection.tiers.get(queue),
            assignee=person(wire.owner) if owned else None,
            assignee_id=clean(wire.owner.login) if owned else None,
            parent=parents[0] if parents else None,
            children=children,
            customer_replied_at=replied_at or self.replied_at(wire),
            next_action_at=self.next_action(wire, created),
            url=f"{self.base_url}/Ticket/Display.html?id={clean(str(wire.id))}",
            asset_ids=assets,
            minutes_worked=wire.time_worked,
            version=clean(wire.last_updated),
            sla=Sla(resolution=_resolution(wire, status_class, updated)),
        )

    def asset(self, wire: WireAsset) -> Asset:
        client = custom_field(wire.custom_fields, self.client_field)
        serial = custom_field(wire.custom_fields, "Serial")
        links = wire.hyperlinks
        return Asset(
            ref=f"{self.connection.name}:asset:{clean(str(wire.id))}",
            connection=self.connection.name,
            id=clean(str(wire.id)),
            name=clean(wire.name or "(no name)"),
            client=clean(client) if client else None,
            client_id=clean(client) if client else None,
            serial=clean(serial) if serial else None,
            kind=kind_of(wire.description or "", wire.name or ""),
            description=clean(wire.description) if wire.description else None,
            ticket_ids=tuple(
                clean(str(link.id)) for link in links if (link.ref, link.type) == ("referred-to-by", "ticket")
            ),
        )

    def status_class(self, status: str) -> StatusClass:
        """An unknown status counts as open, so that no ticket is hidden by a word."""
        mapped = self.connection.status_classes.get(status)
        if mapped is not None:
            return StatusClass(mapped)
        return STATUS_CLASSES.get(status.lower(), StatusClass.OPEN)

    def priority(self, value: str | int | None) -> int:
        """Our 1..5 for RT's number or word: the tenant's number map, its words, then RT's own words."""
        levels = self._levels()
        number = _number(value)
        if levels and number is not None:
            at_or_below = [ours for level, ours in levels if level <= number]
            return at_or_below[-1] if at_or_below else levels[0][1]
        label = _label(value)
        return self.connection.priorities.get(label, PRIORITIES.get(label, 4))

    def rt_priority(self, ours: int) -> int | str | None:
        """What RT is told for our 1..5, None where the tenant has no such level."""
        for level, mapped in self._levels():
            if mapped == ours:
                return level
        if not self._levels():
            for level, _ in PRIORITY_LABELS:
                if self.priority(level) == ours:
                    return level
        return next((name for name, mapped in self.connection.priorities.items() if mapped == ours), None)

    def replied_at(self, wire: WireTicket) -> datetime | None:
        """When the customer had the last word, as far as a list tells: the last change was theirs."""
        created, updated = when(wire.created), when(wire.last_updated)
        customers = {user.login for user in wire.requestor} - {wire.owner.login}
        theirs = wire.last_updated_by.login in customers
        if not theirs or created is None or updated is None:
            return None
        return updated if updated > created + CREATION_TAKES else None

    def next_action(self, wire: WireTicket, created: datetime) -> datetime | None:
        """The date kept in the configured place: a custom field, or RT's Starts."""
        source = self.connection.next_from or "Starts"
        if source.startswith("cf:"):
            return when(custom_field(wire.custom_fields, source[3:]))
        starts = when(wire.starts)
        return starts if starts is not None and starts > created + STARTS_BY_ITSELF else None

    def _client(self, wire: WireTicket) -> SafeText | None:
        source = self.connection.client_from or "cf:Client"
        name = wire.queue.name if source == "queue" else custom_field(wire.custom_fields, self.client_field)
        return clean(name) if name else None

    @property
    def client_field(self) -> str:
        return (self.connection.client_from or "cf:Client").removeprefix("cf:")

    def _levels(self) -> list[tuple[int, int]]:
        """The tenant's map by RT's numbers, lowest first; empty where it maps words only."""
        levels = ((_number(name), ours) for name, ours in self.connection.priorities.items())
        return sorted((level, ours) for level, ours in levels if level is not None)

    def _links(self, wire: WireTicket) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        parents, children, assets = [], [], []
        for link in wire.hyperlinks:
            number = clean(str(link.id))
            if (link.ref, link.type) == ("refers-to", "asset"):
                assets.append(number)
            elif link.type == "ticket" and link.ref == "parent":
                parents.append(self.ref(number))
            elif link.type == "ticket" and link.ref == "child":
                children.append(self.ref(number))
        return tuple(parents), tuple(children), tuple(assets)


def contact(requestors: list[WireUser], phones: tuple[SafeText, ...] = ()) -> Contact | None:
    """The first requestor; RT gives phones only on the user's own record."""
    if not requestors:
        return None
    user = requestors[0]
    return Contact(person(user), phones, clean(user.email_address) if user.email_address else None)


def kind_of(description: str, name: str) -> str:
    """A device kind from the words of an asset, as RT's assets have none."""
    for text in (description, name):
        for kind, pattern in _KIND_PATTERNS:
            if text and pattern.search(text):
                return kind
    return "other"


def _number(value: str | int | None) -> int | None:
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None


def _label(value: str | int | None) -> str:
    """RT's word for a priority: the web interface shows the same."""
    number = _number(value)
    if number is None:
        return str(value) if value else "Low"
    return next((label for level, label in PRIORITY_LABELS if level <= number), "Low")


def _resolution(wire: WireTicket, status_class: StatusClass, updated: datetime) -> Clock:
    """RT keeps one Due, the nearer of its two targets; it is shown as the resolution target."""
    due = when(wire.due)
    if due is None:
        return NO_CLOCK
    if status_class in (StatusClass.RESOLVED, StatusClass.CLOSED):
        met_at = when(wire.resolved) or updated
        return Clock(ClockState.MET if met_at <= due else ClockState.BREACHED, due, "psa", met_at)
    waiting = status_class is StatusClass.WAITING
    return Clock(ClockState.PAUSED if waiting else ClockState.RUNNING, due, "psa")
