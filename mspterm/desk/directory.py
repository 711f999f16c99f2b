"""Who and what a person may name: tickets, devices, technicians, and what a connection lets one choose."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mspterm.connectors.base import Choices
from mspterm.desk import kept_choices
from mspterm.desk.choosing import no_device, one_of
from mspterm.desk.desk import Desk, split_ref
from mspterm.domain.device import Device
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket


class Directory:
    """Choices are asked of the server and kept for the times it can't be reached."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def ticket(self, ref: str) -> Ticket:
        """The ticket as last known. Raises Failed where it isn't."""
        name, _ = split_ref(ref)
        self.desk.connection(name)
        found = self.desk.store.tickets.get(ref)
        if found is None:
            raise failed(Reason.NOT_FOUND, f"{name} has no ticket {ref} that is known here.", name)
        return found

    def tickets(self, refs: Sequence[str]) -> list[Ticket]:
        if not refs:
            raise failed(Reason.REFUSED, "No ticket is chosen.")
        return [self.ticket(r) for r in dict.fromkeys(refs)]

    def device(self, wanted: str) -> tuple[Device, str | None]:
        """A device by ref or by name that only one has, and its client. Raises Failed otherwise."""
        store = self.desk.store
        one = store.devices.get(wanted)
        found = [one] if one else store.devices.named(wanted)
        if len(found) != 1:
            refs = ", ".join(d.ref for d in found)
            sentence = f"{len(found)} devices are called {wanted}: {refs}." if found else no_device(wanted)
            raise failed(Reason.NOT_FOUND if not found else Reason.CONFLICT, sentence)
        device = found[0]
        return device, device.client or store.devices.client_names().get(device.ref)

    def devices(self, refs: Sequence[str], needs: str) -> list[tuple[Device, str | None]]:
        if not refs:
            raise failed(Reason.REFUSED, "No device is chosen.")
        found = [self.device(r) for r in dict.fromkeys(refs)]
        for device, _ in found:
            self.must(device.connection, needs)
        return found

    def must(self, connection: str, needs: str) -> None:
        able = self.desk.manifest(connection).able(needs)
        if not able.possible:
            why = (able.reason or "").rstrip(".")
            raise failed(Reason.REFUSED, f"{connection} can't do this: {why}.", connection)

    async def status(self, ticket: Ticket, wanted: str) -> str:
        """The vendor's status: its own word in any case, or the first one of a class (`waiting`)."""
        choices = await self.choices(ticket.connection, ticket)
        # The vendor's own word before a class: RT's `open` and `resolved` are the names of both.
        exact = [s for s in choices.statuses if s.casefold() == wanted.casefold()]
        if exact or wanted.casefold() not in {c.value for c in StatusClass}:
            return exact[0] if exact else one_of(wanted, choices.statuses, "status", ticket.connection)
        own = self.desk.connection(ticket.connection).status_classes
        classes = {**choices.status_classes, **own}
        of_class = [s for s in choices.statuses if classes.get(s) == wanted.casefold()]
        return of_class[0] if of_class else one_of(wanted, choices.statuses, "status", ticket.connection)

    async def owner(self, name: str, wanted: str) -> tuple[str, str]:
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
        # Nobody is listed where it was never asked or is not permitted: then the server has the last word.
        if not technicians:
            return wanted, wanted
        known = ", ".join(t.id for t in (found or technicians))
        what = "several technicians" if found else "no technician"
        raise failed(Reason.NOT_FOUND, f"{name} has {what} called {wanted}; known: {known}.", name)

    async def me(self, name: str) -> Technician:
        """Who this connection acts as; the last known where it can't be asked now."""
        key = f"me:{name}"
        try:
            identity = await (await self.desk.connector(name)).whoami()
        except Failed as error:
            known = self.desk.store.database.get(key)
            # A refused credential is no outage: nobody acts then, and no last known name stands for that.
            if known is None or error.failure.reason is Reason.AUTH:
                raise
            id_, label = json.loads(known)
            return Technician(id_, label)
        me = identity.technician
        self.desk.store.database.put(key, json.dumps([me.id, me.name]))
        self.desk.store.connections.acts_as(name, f"{me.name} ({identity.kind})")
        return me

    def known_me(self) -> dict[str, frozenset[str]]:
        """My ids by connection as last known, for `owner:me`; asks nobody."""
        found: dict[str, frozenset[str]] = {}
        for name, connection in self.desk.connections.items():
            known = self.desk.store.database.get(f"me:{name}")
            ids = {json.loads(known)[0]} if known else set()
            found[name] = frozenset(ids | ({connection.me} if connection.me else set()))
        return found

    async def choices(self, name: str, ticket: Ticket | None = None) -> Choices:
        """What may be chosen; the last known where the server can't be asked now."""
        key = kept_choices.key(name, ticket)
        try:
            found = await (await self.desk.connector(name)).choices(ticket)
        except Failed:
            return kept_choices.read(self.desk.store.database.get(key))
        self.desk.store.database.put(key, kept_choices.dump(found))
        return found

    def known_choices(self, name: str, ticket: Ticket | None = None) -> Choices:
        """What could be chosen when the server was last asked; for a dialog that opens at once."""
        return kept_choices.read(self.desk.store.database.get(kept_choices.key(name, ticket)))
