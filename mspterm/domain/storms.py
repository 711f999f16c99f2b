"""Alert storms: tickets and alerts of one cause, told by evidence that a person can check.

Each item gets at most one group. The same items in any order give the same groups; a group's key is of
its earliest item, so that what comes later joins it, also where it shows another cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mspterm.domain.conditions import DOWN, PROVIDERS, SYMPTOMS, condition_of, provider_in, provider_pattern
from mspterm.domain.device import Alert, Device
from mspterm.domain.folding import fold
from mspterm.domain.match import host_name
from mspterm.domain.ticket import Ticket

# In this order: where both are down, the host is gone because the network is.
_ROOTS = ("network", "hypervisor")
_TRICKLE = 4
_ASKED = ("request", "change", "project", "task")
# Where several causes join a group, the first of these names it.
_CAUSES = ("provider", "gateway", "host", "site", "flapping", "device", "parent")


@dataclass(frozen=True, slots=True)
class StormRules:
    """`[storms]`. Seconds: `window_s` between items of a site or provider, `flap_s` between those of one
    condition; `at_least` items make a site's storm; `flaps` make a flapping; `clients` a provider's.
    `integrations` are logins whose words are no human's; within `reopen_s` of its parent's end a cause
    that comes back is the same; `on_clear` is what is done on the ticket of an alert that clears: show,
    comment or close."""

    window_s: int = 15 * 60
    flap_s: int = 24 * 3600
    at_least: int = 3
    flaps: int = 3
    clients: int = 2
    providers: tuple[str, ...] = PROVIDERS
    integrations: tuple[str, ...] = ()
    reopen_s: int = 3 * 86_400
    on_clear: str = "show"


@dataclass(frozen=True, slots=True)
class Sign:
    """A ticket or an alert, as far as it tells of a cause. `at` is in epoch seconds; `device` is the
    name to compare by; `root` network or hypervisor, where the item is of such a device.

    `human`: a person reported it. `linked` is the other half, where a ticket and an alert are one;
    `parent` the ticket that the PSA has as its parent.
    """

    ref: str
    at: float
    client: str | None
    site: str | None
    device: str | None
    condition: str
    provider: str | None = None
    priority: int | None = None
    root: str | None = None
    human: bool = False
    linked: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Storm:
    """One cause. `head` stands for the group in a list; `refs` are all, earliest first; `shown` are
    those that keep a row of their own beside it: every P1. `why` is the evidence, in a sentence;
    `alerts` are those of `refs` that are no tickets."""

    key: str
    cause: str
    head: str
    refs: tuple[str, ...]
    shown: tuple[str, ...]
    why: str
    alerts: tuple[str, ...] = ()

    @property
    def tickets(self) -> tuple[str, ...]:
        return tuple(ref for ref in self.refs if ref not in self.alerts)


def rules_of(table: Mapping[str, Any]) -> StormRules:
    """The rules of a checked `[storms]`; its providers are added to the usual ones."""
    given = {name: table[name] for name in ("at_least", "flaps", "clients") if name in table}
    if "window_min" in table:
        given["window_s"] = int(table["window_min"]) * 60
    if "flap_hours" in table:
        given["flap_s"] = int(table["flap_hours"]) * 3600
    if "reopen_days" in table:
        given["reopen_s"] = int(table["reopen_days"]) * 86_400
    if "on_clear" in table:
        given["on_clear"] = table["on_clear"]
    given["integrations"] = tuple(table.get("integrations", ()))
    return StormRules(**given, providers=(*PROVIDERS, *table.get("providers", ())))


def sign_reader(
    devices: Mapping[str, Device], rules: StormRules, carriers: Mapping[str, str] | None = None
) -> tuple[Callable[[Ticket, Sequence[str]], Sign], Callable[[Alert], Sign]]:
    """Two readers, for tickets (with the refs of their devices) and for alerts.

    `devices` by ref; `carriers` by client: whose line it is when the client's network device is down.
    """
    pattern = provider_pattern(rules.providers)
    lines = {fold(client): fold(carrier) for client, carrier in (carriers or {}).items()}

    def provider(text: str, client: str | None, condition: str, root: str | None) -> str | None:
        line = lines.get(client or "") if condition in DOWN and root == "network" else None
        return provider_in(text, pattern) or line

    def of_ticket(ticket: Ticket, device_refs: Sequence[str] = ()) -> Sign:
        device = next((devices[ref] for ref in device_refs if ref in devices), None)
        name, client, root = _name(device), _folded(ticket.client), _root(device)
        condition = condition_of(ticket.summary, name)
        # A request names Teams because it wants it, not because it is down.
        whose = None if ticket.type in _ASKED else provider(ticket.summary, client, condition, root)
        site = _folded(ticket.site or (device.site if device else None))
        human = not (ticket.type == "alert" or ticket.source == "alert")
        return Sign(
            ticket.ref, ticket.created_at.timestamp(), client, site, name, condition, whose,
            ticket.priority, root, human, parent=ticket.parent,
        )  # fmt: skip

    def of_alert(alert: Alert) -> Sign:
        device = devices.get(alert.device_ref or "")
        name, root = _name(device), _root(device)
        client = _folded(alert.client or (device.client if device else None))
        condition = condition_of(alert.message, name)
        return Sign(
            alert.ref, alert.raised_at.timestamp(), client, _folded(device.site if device else None),
            name, condition, provider(alert.message, client, condition, root), root=root,
            linked=alert.ticket_ref,
        )  # fmt: skip

    return of_ticket, of_alert


def quieted(device: Device | None, now: datetime) -> str | None:
    """Why the device's alerts are quiet now: its RMM has it in maintenance. None where they aren't."""
    maintenance = device.maintenance if device is not None else None
    if maintenance is None or (maintenance.until is not None and maintenance.until <= now):
        return None
    until = f"until {maintenance.until:%Y-%m-%d %H:%M}Z" if maintenance.until else "without an end"
    return f"in maintenance {until}{f': {maintenance.reason}' if maintenance.reason else ''}"


def storms(signs: Iterable[Sign], rules: StormRules) -> tuple[Storm, ...]:
    """The groups, by the time of their earliest item. An item in no group stands alone."""
    # By ref too: items of one second must give the same key whatever order they come in.
    ordered = sorted(signs, key=lambda s: (s.at, s.ref))
    joined = _Joined(ordered)
    for cause, group in _evidence(ordered, rules):
        joined.join(cause, group)
    made = (_storm(group, causes) for group, causes in joined.groups())
    return tuple(sorted(made, key=lambda s: (s.refs[0], s.key)))


def keys(found: Iterable[Storm]) -> dict[str, str]:
    """The group's key of each item that is in one."""
    return {ref: storm.key for storm in found for ref in storm.refs}


def hidden(found: Iterable[Storm]) -> frozenset[str]:
    """The refs whose rows fold into another's; never a P1's."""
    return frozenset(r for s in found for r in s.refs if r != s.head and r not in s.shown)


class _Joined:
    """Items joined by evidence, and the causes that joined them."""

    def __init__(self, signs: Sequence[Sign]) -> None:
        self._signs = signs
        self._index = {sign.ref: n for n, sign in enumerate(signs)}
        self._parent = list(range(len(signs)))
        self._causes: list[tuple[int, str]] = []

    def join(self, cause: str, group: Sequence[Sign]) -> None:
        first = self._index[group[0].ref]
        self._causes.append((first, cause))
        for sign in group[1:]:
            a, b = self._root(first), self._root(self._index[sign.ref])
            # The earliest item is the root, whatever the evidence came in.
            self._parent[max(a, b)] = min(a, b)

    def groups(self) -> Iterator[tuple[list[Sign], set[str]]]:
        members: dict[int, list[Sign]] = defaultdict(list)
        causes: dict[int, set[str]] = defaultdict(set)
        for n, sign in enumerate(self._signs):
            members[self._root(n)].append(sign)
        for n, cause in self._causes:
            causes[self._root(n)].add(cause)
        yield from ((members[root], causes[root]) for root in causes if len(members[root]) > 1)

    def _root(self, n: int) -> int:
        while self._parent[n] != n:
            # Halving the path keeps it short: thousands of alerts of one storm are joined one by one.
            self._parent[n] = self._parent[self._parent[n]]
            n = self._parent[n]
        return n


def _evidence(ordered: Sequence[Sign], rules: StormRules) -> Iterator[tuple[str, list[Sign]]]:
    """Sets of items that belong together, each with the cause that says so."""
    yield from _linked(ordered)
    yield from _families(ordered)
    by_device = _split(ordered, lambda s: (s.client, s.device, s.condition) if s.device else None)
    for group in _bursts(by_device, rules.flap_s):
        yield ("flapping" if len(group) >= rules.flaps else "device"), group
    # What people report has its own words; only "down" is the same in everyone's mouth.
    telling = [s for s in ordered if not s.human or s.condition in DOWN]
    at_site = _split(telling, lambda s: (s.client, s.site) if s.client else None)
    for group in _bursts(at_site, rules.window_s):
        yield from _site(group, rules)
    for group in _bursts(_split(ordered, lambda s: s.provider), rules.window_s):
        if len({s.client for s in group}) >= rules.clients:
            yield "provider", group


def _linked(ordered: Sequence[Sign]) -> Iterator[tuple[str, list[Sign]]]:
    known = {sign.ref: sign for sign in ordered}
    for sign in ordered:
        other = known.get(sign.linked or "")
        if other is not None and other is not sign:
            yield "device", [other, sign]


def _families(ordered: Sequence[Sign]) -> Iterator[tuple[str, list[Sign]]]:
    """What somebody has gathered in the PSA, as long as the parent is there to stand for it."""
    known = {sign.ref: sign for sign in ordered}
    for child in ordered:
        parent = known.get(child.parent or "")
        if parent is not None and parent is not child:
            yield "parent", [parent, child]


def _site(group: list[Sign], rules: StormRules) -> Iterator[tuple[str, list[Sign]]]:
    down = [s for s in group if s.condition in DOWN]
    root = next((s.root for kind in _ROOTS for s in down if s.root == kind), None)
    # Devices and not items: one that makes a lot of noise is no site.
    many = _devices(down) >= rules.at_least
    if many or (root is not None and len(down) > 1):
        cause = {"network": "gateway", "hypervisor": "host"}.get(root or "", "site")
        # Symptoms join what is down, and are never counted to find it.
        yield cause, [s for s in group if s.condition in DOWN or s.condition in SYMPTOMS]
    for same in _split(group, lambda s: s.condition):
        if _devices(same) >= rules.at_least:
            yield "site", same


def _devices(group: Sequence[Sign]) -> int:
    return len({s.device or s.ref for s in group})


def _split(ordered: Iterable[Sign], key_of: Callable[[Sign], Hashable | None]) -> Iterator[list[Sign]]:
    groups: dict[Hashable, list[Sign]] = defaultdict(list)
    for sign in ordered:
        key = key_of(sign)
        if key is not None:
            groups[key].append(sign)
    yield from groups.values()


def _bursts(groups: Iterable[list[Sign]], gap: float) -> Iterator[list[Sign]]:
    """Runs of two or more items, each within `gap` seconds of the one before: a trickle that goes on
    for more than a few gaps is no burst, and is cut."""
    for group in groups:
        run = group[:1]
        for sign in group[1:]:
            if sign.at - run[-1].at > gap or sign.at - run[0].at > _TRICKLE * gap:
                if len(run) > 1:
                    yield run
                run = []
            run.append(sign)
        if len(run) > 1:
            yield run


def _storm(group: list[Sign], causes: set[str]) -> Storm:
    cause = next(c for c in _CAUSES if c in causes)
    parents = {s.parent for s in group}
    head = min(group, key=lambda s: (s.ref not in parents, *_standing(s, cause)))
    shown = tuple(s.ref for s in group if s.priority == 1 and s is not head)
    refs, alerts = tuple(s.ref for s in group), tuple(s.ref for s in group if s.priority is None)
    return Storm(f"storm:{group[0].ref}", cause, head.ref, refs, shown, _why(group, cause), alerts)


def _standing(sign: Sign, cause: str) -> tuple[bool, int, bool, float, str]:
    """The row for a group is a ticket, of the highest priority; of equal ones the cause itself. Where
    the PSA has a parent in it, that comes before all."""
    of_cause = sign.root == {"gateway": "network", "host": "hypervisor"}.get(cause, "")
    return (sign.priority is None, sign.priority or 9, not of_cause, sign.at, sign.ref)


def _why(group: list[Sign], cause: str) -> str:
    first = group[0]
    clients = sorted({s.client for s in group if s.client})
    where = " at ".join(part for part in (first.site, first.client) if part) or "one place"
    minutes = int(group[-1].at - first.at) // 60
    provider = next((s.provider for s in group if s.provider), None)
    said = {
        "provider": f"{len(group)} items name {provider}, at {len(clients)} clients",
        "gateway": f"{len(group)} items of {where}, whose network device is down",
        "host": f"{len(group)} items of {where}, whose hypervisor is down",
        "site": f"{len(group)} items of {where}",
        "flapping": f"{first.device}: {first.condition} came {len(group)} times",
        "device": f"{first.device or first.ref}: {first.condition}, {len(group)} items",
        "parent": f"{len(group)} tickets that the PSA has as parent and children",
    }[cause]
    return f"{said}, within {minutes} minutes"


def _name(device: Device | None) -> str | None:
    return host_name(device.name) if device is not None else None


def _root(device: Device | None) -> str | None:
    return device.kind if device is not None and device.kind in _ROOTS else None


def _folded(text: str | None) -> str | None:
    return fold(text) if text else None
