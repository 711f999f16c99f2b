"""From words typed in a dialog or on a command line to a plan; asks the server before it refuses."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mspterm.connectors.base import Choices
from mspterm.desk import kept_choices
from mspterm.desk.choosing import no_device, one_of
from mspterm.desk.coverage import billable
from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.escalation import calls, told_vendor, vendor_of
from mspterm.desk.incidents import switch_text, verification
from mspterm.desk.signing import under_a_name
from mspterm.desk.ssh import plan_ssh
from mspterm.desk.terminal import plan_terminal
from mspterm.domain.action import Audience, NewTicket, Plan, RunCommand
from mspterm.domain.device import Device
from mspterm.domain.people import Technician
from mspterm.domain.planning import Asked, plan_new, plan_reboot, plan_run, plan_update
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, before it means anything to a vendor. `owner`: a name, a login, `me` or
    `nobody`; `to`: `tier:N`, `queue:NAME` or `vendor:NAME`."""

    text: str | None = None
    audience: Audience | None = None
    mail: bool | None = None
    minutes: int | None = None
    status: str | None = None
    owner: str | None = None
    priority: int | None = None
    queue: str | None = None
    next_at: datetime | None = None
    to: str | None = None
    client: str | None = None
    summary: str | None = None
    contact: str | None = None
    device: str | None = None
    type: str = "incident"
    connection: str | None = None
    parent: str | None = None
    command: str | None = None
    script: str | None = None
    shell: str = "auto"
    run_as: str = "system"
    attach: str | None = None
    release: bool = False
    switch: str | None = None
    method: str | None = None
    number: str | None = None
    result: str | None = None


class Planner:
    """Makes plans. Choices are asked of the server and kept for the times it can't be reached."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def plan(self, action: str, refs: Sequence[str], wanted: Wanted) -> Plan:
        """The plan for one action of the table. Raises Failed with what is missing or unknown."""
        makers: Mapping[str, Callable[[Sequence[str], Wanted], Awaitable[Plan]]] = {
            "claim": self._claim,
            "escalate": self._escalate,
            "new": self._new,
            "run": self._run,
            "reboot": self._reboot,
            "ssh": self._ssh,
            "terminal": self._terminal,
        }
        if action in ("incident", "verify"):
            return self._recorded(action, refs, wanted)
        if action in makers:
            return under_a_name(self._desk, await makers[action](refs, wanted))
        return under_a_name(self._desk, await self._update(action, refs, wanted))

    async def _update(self, action: str, refs: Sequence[str], wanted: Wanted) -> Plan:
        asked = [(t, await self._asked(t, wanted, action)) for t in self._tickets(refs)]
        if all(a == Asked(audience=a.audience, meets=a.meets) for _, a in asked):
            raise failed(Reason.REFUSED, f"{action}: nothing was given to change.")
        return plan_update(action, asked)

    def _recorded(self, action: str, refs: Sequence[str], w: Wanted) -> Plan:
        """What is put on record as an internal note of a set form."""
        asked = []
        for ticket in self._tickets(refs):
            incident = action == "incident"
            text = (
                switch_text(self._desk, ticket, w.switch)
                if incident
                else (verification(ticket, w.method, w.number, w.result))
            )
            asked.append((ticket, Asked(text=text)))
        return plan_update(action, asked)

    async def _claim(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        asked = []
        for ticket in self._tickets(refs):
            me = await self.me(ticket.connection)
            manifest = self._desk.manifest(ticket.connection)
            meets = manifest.meets.get("claim")
            status = await self._claim_status(ticket)
            meets = self._ours(ticket, status, public=False) or meets
            asked.append((ticket, Asked(owner=(me.id, me.name), status=status, meets=meets)))
        return plan_update("claim", asked)

    async def _claim_status(self, ticket: Ticket) -> str | None:
        """The status that a claim sets on a new ticket: the config's ("" for none), else the vendor's."""
        if ticket.status_class is not StatusClass.NEW:
            return None
        by_queue = self._desk.connection(ticket.connection).claim_status
        configured = by_queue.get(ticket.queue or "", by_queue.get("*"))
        if configured is not None:
            return configured or None
        return (await self.choices(ticket.connection, ticket)).claim_status

    def _ours(self, ticket: Ticket, status: str | None, *, public: bool) -> str | None:
        """The targets of the config's policy that a write meets, in words."""
        met = self._desk.clockwork.would_meet(ticket, self._desk.now(), status=status, public=public)
        return f"meets {' and '.join(met)} (calc)" if met else None

    async def _escalate(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        tickets = self._tickets(refs)
        if wanted.to is None:
            raise failed(Reason.REFUSED, "escalate: --to tier:N, queue:NAME or vendor:NAME is missing.")
        asked, lines = [], list[str]()
        end = told_vendor(vendor_of(self._desk, wanted.to), wanted.number)
        for ticket in tickets:
            queue = await self._escalation_queue(ticket, wanted.to)
            owner = ("", "nobody") if wanted.release else None
            asked.append((ticket, Asked(text=f"{wanted.text or ''}{end}" or None, queue=queue, owner=owner)))
            lines += calls(self._desk, ticket, wanted.to, queue)
        plan = plan_update("escalate", asked)
        return replace(plan, lines=(*plan.lines, *lines))

    async def _escalation_queue(self, ticket: Ticket, to: str) -> str:
        kind, _, name = to.partition(":")
        tiers = self._desk.connection(ticket.connection).tiers
        vendor = vendor_of(self._desk, to)
        if vendor is not None and ticket.connection in vendor.queues:
            return vendor.queues[ticket.connection]
        if kind == "queue" and name:
            return one_of(name, (await self.choices(ticket.connection)).queues, "queue", ticket.connection)
        if kind == "tier" and name:
            wanted = f"L{name.lstrip('Ll')}"
        elif kind == "vendor" and name:
            wanted = "vendor"
        else:
            raise failed(Reason.REFUSED, f"escalate: {to!r} is not tier:N, queue:NAME or vendor:NAME.")
        queues = [q for q, tier in tiers.items() if tier == wanted]
        if not queues:
            where = f"connections.{ticket.connection}.tiers"
            raise failed(
                Reason.REFUSED, f"No queue of {ticket.connection} is tier {wanted}; set it in {where}."
            )
        if ticket.queue in queues:
            raise failed(
                Reason.REFUSED, f"{ticket.ref} is already in {ticket.queue}, which is tier {wanted}."
            )
        return queues[0]

    async def _new(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        name = wanted.connection or self._only_psa()
        self._must(name, "new")
        choices = await self.choices(name)
        if not wanted.client or not wanted.summary:
            raise failed(Reason.REFUSED, "new: a client and a summary are needed (--client C --summary S).")
        connection = self._desk.connection(name)
        queue = wanted.queue or next(iter(connection.queues or connection.tiers), None)
        if queue is None and len(choices.queues) == 1:
            queue = choices.queues[0]
        if queue is None:
            raise failed(Reason.REFUSED, f"new: {name} needs a queue, one of: {', '.join(choices.queues)}.")
        queue = one_of(queue, choices.queues, "queue", name)
        client = one_of(self._vendors(wanted.client, choices.clients), choices.clients, "client", name)
        owner = (await self._owner(name, wanted.owner))[0] if wanted.owner else None
        new = NewTicket(
            name, client, wanted.summary, wanted.text or "", wanted.contact,
            self._device_of(name, wanted.device), queue, wanted.priority, wanted.type, wanted.parent, owner,
        )  # fmt: skip
        return plan_new(new, meets=self._desk.manifest(name).meets.get("new"))

    def _vendors(self, wanted: str, known: Sequence[str]) -> str:
        """The connection's own name for a client that was given by the config's name."""
        folded = wanted.casefold()
        found = next((c for n, c in self._desk.config.clients.items() if n.casefold() == folded), None)
        names = () if found is None else tuple(m.rpartition(":")[2].casefold() for m in found.match)
        return next((k for k in known if k.casefold() in names), wanted)

    def _device_of(self, name: str, device: str | None) -> str | None:
        """The PSA's asset for a device given by ref or name; the vendor links assets, not devices."""
        if device is None:
            return None
        store = self._desk.store
        found = [a for a in store.devices.assets() if a.connection == name and device in (a.ref, a.id)]
        found = found or [a for a in store.devices.assets_of(device) if a.connection == name]
        wanted = device.casefold()
        found = found or [
            a for a in store.devices.assets() if a.connection == name and a.name.casefold() == wanted
        ]
        if len(found) != 1:
            what = "no asset" if not found else f"{len(found)} assets"
            raise failed(Reason.NOT_FOUND, f"{name} knows {what} called {device}.")
        return found[0].ref

    async def _run(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        if not wanted.command and not wanted.script:
            raise failed(Reason.REFUSED, "run: the command is missing (run DEVICE -- COMMAND).")
        if wanted.attach:
            self._tickets([wanted.attach])
        devices = self._devices(refs, "script" if wanted.script else "run")
        command = RunCommand(
            "", wanted.command or "", wanted.shell, wanted.run_as, wanted.attach, script=wanted.script
        )
        return plan_run(devices, command)

    async def _reboot(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        return plan_reboot(self._devices(refs, "reboot"))

    async def _ssh(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        return plan_ssh(self._desk, *self._session_on(refs, wanted))

    async def _terminal(self, refs: Sequence[str], wanted: Wanted) -> Plan:
        on = self._session_on(refs, wanted)
        return plan_terminal(self._desk, *on, shell=wanted.shell, run_as=wanted.run_as)

    def _session_on(self, refs: Sequence[str], wanted: Wanted) -> tuple[Device, str | None, str | None]:
        if len(refs) != 1:
            raise failed(Reason.REFUSED, "A session is on one device.")
        if wanted.attach:
            self._tickets([wanted.attach])
        return *self.device(refs[0]), wanted.attach

    def _tickets(self, refs: Sequence[str]) -> list[Ticket]:
        if not refs:
            raise failed(Reason.REFUSED, "No ticket is chosen.")
        return [self.ticket(r) for r in dict.fromkeys(refs)]

    def ticket(self, ref: str) -> Ticket:
        """The ticket as last known. Raises Failed where it isn't."""
        name, _ = split_ref(ref)
        self._desk.connection(name)
        found = self._desk.store.tickets.get(ref)
        if found is None:
            raise failed(Reason.NOT_FOUND, f"{name} has no ticket {ref} that is known here.", name)
        return found

    def _devices(self, refs: Sequence[str], needs: str) -> list[tuple[Device, str | None]]:
        if not refs:
            raise failed(Reason.REFUSED, "No device is chosen.")
        found = [self.device(r) for r in dict.fromkeys(refs)]
        for device, _ in found:
            self._must(device.connection, needs)
        return found

    def device(self, wanted: str) -> tuple[Device, str | None]:
        """A device by ref or by name that only one has, and its client. Raises Failed otherwise."""
        store = self._desk.store
        one = store.devices.get(wanted)
        found = [one] if one else store.devices.named(wanted)
        if len(found) != 1:
            refs = ", ".join(d.ref for d in found)
            sentence = f"{len(found)} devices are called {wanted}: {refs}." if found else no_device(wanted)
            raise failed(Reason.NOT_FOUND if not found else Reason.CONFLICT, sentence)
        device = found[0]
        return device, device.client or store.devices.client_names().get(device.ref)

    def _must(self, connection: str, needs: str) -> None:
        able = self._desk.manifest(connection).able(needs)
        if not able.possible:
            why = (able.reason or "").rstrip(".")
            raise failed(Reason.REFUSED, f"{connection} can't do this: {why}.", connection)

    async def _asked(self, ticket: Ticket, wanted: Wanted, action: str) -> Asked:
        name = ticket.connection
        audience = wanted.audience or (Audience.PUBLIC if action == "reply" else Audience.INTERNAL)
        for needs, given in (
            (
                "reply" if audience in (Audience.PUBLIC, Audience.RESOLUTION) else "note",
                wanted.text is not None,
            ),
            ("co-managed", wanted.text is not None and audience is Audience.CO_MANAGED),
            ("time", wanted.minutes is not None),
            ("status", wanted.status is not None),
            ("assign", wanted.owner is not None),
            ("priority", wanted.priority is not None),
            ("queue", wanted.queue is not None),
            ("next", wanted.next_at is not None),
            ("mail", wanted.mail is not None and wanted.text is not None),
        ):
            if given:
                self._must(name, needs)
        return Asked(
            text=wanted.text,
            audience=audience,
            mail=wanted.mail,
            minutes=wanted.minutes,
            status=await self._status(ticket, wanted.status) if wanted.status else None,
            owner=await self._owner(name, wanted.owner) if wanted.owner is not None else None,
            priority=wanted.priority,
            queue=one_of(wanted.queue, (await self.choices(name)).queues, "queue", name)
            if wanted.queue
            else None,
            next_at=wanted.next_at,
            meets=self._meets(ticket, audience, wanted),
            billable=billable(self._desk, ticket.ref) if wanted.minutes else None,
            mail_words=self._desk.manifest(name).meets.get(f"mail {audience.value}", "")
            if wanted.text
            else "",
        )

    def _meets(self, ticket: Ticket, audience: Audience, wanted: Wanted) -> str | None:
        """Which target this write meets: ours by the policy, else the vendor's in its own words."""
        public = wanted.text is not None and audience in (Audience.PUBLIC, Audience.RESOLUTION)
        ours = self._ours(ticket, wanted.status, public=public)
        return ours or (self._desk.manifest(ticket.connection).meets.get("reply") if public else None)

    async def _status(self, ticket: Ticket, wanted: str) -> str:
        """The vendor's status: its own word in any case, or the first one of a class (`waiting`)."""
        choices = await self.choices(ticket.connection, ticket)
        exact = [s for s in choices.statuses if s.casefold() == wanted.casefold()]
        if exact or wanted.casefold() not in {c.value for c in StatusClass}:
            return exact[0] if exact else one_of(wanted, choices.statuses, "status", ticket.connection)
        own = self._desk.connection(ticket.connection).status_classes
        classes = {**choices.status_classes, **own}
        of_class = [s for s in choices.statuses if classes.get(s) == wanted.casefold()]
        return of_class[0] if of_class else one_of(wanted, choices.statuses, "status", ticket.connection)

    async def _owner(self, name: str, wanted: str) -> tuple[str, str]:
        if wanted.casefold() in ("", "nobody", "none", "unassigned"):
            return "", "nobody"
        if wanted.casefold() == "me":
            me = await self.me(name)
            return me.id, me.name
        technicians = (await self.choices(name)).technicians
        folded = wanted.casefold()
        exact = [t for t in technicians if folded in (t.id.casefold(), t.name.casefold())]
        found = exact or [t for t in technicians if folded in t.name.casefold()]
        if len(found) == 1 or exact:
            return found[0].id, found[0].name
        if not technicians:
            return wanted, wanted
        known = ", ".join(t.id for t in (found or technicians))
        what = "several technicians" if found else "no technician"
        raise failed(Reason.NOT_FOUND, f"{name} has {what} called {wanted}; known: {known}.", name)

    async def me(self, name: str) -> Technician:
        """Who this connection acts as; the last known where it can't be asked now."""
        key = f"me:{name}"
        try:
            identity = await (await self._desk.connector(name)).whoami()
        except Failed as error:
            known = self._desk.store.database.get(key)
            if known is None or error.failure.reason is Reason.AUTH:
                raise
            id_, label = json.loads(known)
            return Technician(id_, label)
        me = identity.technician
        self._desk.store.database.put(key, json.dumps([me.id, me.name]))
        self._desk.store.connections.acts_as(name, f"{me.name} ({identity.kind})")
        return me

    def known_me(self) -> dict[str, frozenset[str]]:
        """My ids by connection as last known, for `owner:me`; asks nobody."""
        found: dict[str, frozenset[str]] = {}
        for name, connection in self._desk.connections.items():
            known = self._desk.store.database.get(f"me:{name}")
            ids = {json.loads(known)[0]} if known else set()
            found[name] = frozenset(ids | ({connection.me} if connection.me else set()))
        return found

    async def choices(self, name: str, ticket: Ticket | None = None) -> Choices:
        """What may be chosen; the last known where the server can't be asked now."""
        key = kept_choices.key(name, ticket)
        try:
            found = await (await self._desk.connector(name)).choices(ticket)
        except Failed:
            return kept_choices.read(self._desk.store.database.get(key))
        self._desk.store.database.put(key, kept_choices.dump(found))
        return found

    def known_choices(self, name: str, ticket: Ticket | None = None) -> Choices:
        """What could be chosen when the server was last asked; for a dialog that opens at once."""
        return kept_choices.read(self._desk.store.database.get(kept_choices.key(name, ticket)))

    def _only_psa(self) -> str:
        names = self._desk.serving("psa")
        if len(names) != 1:
            which = ", ".join(names) or "none is configured"
            raise failed(Reason.REFUSED, f"new: say which connection (--connection N): {which}.")
        return names[0]
