"""Children of a ticket: ConnectWise's bundle, one call on the parent, and seen on each child afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mspterm.connectors.connectwise import proof, wire
from mspterm.connectors.connectwise.client import CwClient
from mspterm.connectors.connectwise.feed import Feed
from mspterm.connectors.proof import Check
from mspterm.domain.action import Attach, Outcome, State
from mspterm.domain.reasons import Failed, Failure, Reason
from mspterm.net.faults import MaybeSent

ContactOf = Callable[[str, int], Awaitable[int]]


@dataclass(slots=True)
class _Run:
    """How far one bundle has come, in ConnectWise's own numbers."""

    write: Attach
    parent: int
    children: tuple[int, ...]
    contact: int | None = None
    maybe: Failure | None = None
    refused: Failure | None = None


class Gatherer:
    """Attaches children. `contact_of` finds a contact of a company, both by number."""

    def __init__(self, client: CwClient, feed: Feed, contact_of: ContactOf) -> None:
        self._client, self._feed, self._name = client, feed, client.name
        self._contact_of = contact_of

    async def attach(self, write: Attach) -> Outcome:
        children = tuple(int(ref.rpartition(":")[2]) for ref in write.children)
        run = _Run(write, int(write.ref.rpartition(":")[2]), children)
        try:
            await self._send(run)
        except MaybeSent as error:
            run.maybe = error.failure
        except Failed as error:
            run.refused = error.failure
        return await self._prove(run)

    async def _send(self, run: _Run) -> None:
        if run.write.contact is not None:
            row = await self._client.ticket(str(run.parent), kind="action")
            company = (row.company and row.company.id) or 0
            run.contact = await self._contact_of(run.write.contact, company)
            ops = [proof.replace("contact", {"id": run.contact})]
            await self._client.send("PATCH", "/service/tickets/{id}", ops, id=run.parent)
        body = {"childTicketIds": list(run.children)}
        await self._client.send("POST", "/service/tickets/{id}/attachChildren", body, id=run.parent)

    async def _prove(self, run: _Run) -> Outcome:
        ref = run.write.ref
        try:
            row = await self._client.ticket(str(run.parent), kind="action")
            rows = await self._children(run)
            ticket = await self._feed.map(row, kind="action")
            others = tuple([await self._feed.map(r, kind="action") for r in rows])
        except (Failed, ValueError) as error:
            unread = str(error) if isinstance(error, ValueError) else error.failure.sentence
            why = run.maybe or run.refused or Failure(Reason.UNKNOWN, unread, self._name)
            # A refusal stays sure, whatever can't be read afterwards.
            state = State.UNCERTAIN if run.refused is None else State.FAILED
            return Outcome(ref, state, why, (f"It could not be read back: {unread}",))
        checks = _checks(run, row, rows)
        lines, missing = tuple(c.line() for c in checks), [c for c in checks if not c.ok]
        if not missing:
            return Outcome(ref, State.DONE, None, lines, ticket=ticket, others=others)
        failure = run.maybe or run.refused or proof.not_applied(self._name, missing)
        state = State.UNCERTAIN if run.maybe is not None else State.FAILED
        return Outcome(ref, state, failure, lines, ticket=ticket, others=others)

    async def _children(self, run: _Run) -> list[wire.Ticket]:
        conditions = f"id in ({','.join(map(str, run.children))})"
        query = {"conditions": conditions, "fields": self._client.ticket_fields}
        return await self._client.items("/service/tickets", wire.Ticket, query, kind="action")


def _checks(run: _Run, parent: wire.Ticket, children: list[wire.Ticket]) -> list[Check]:
    # By the children's own rows: the answer to the bundle may be a false 200.
    there = {row.id for row in children if row.parent_ticket_id == run.parent}
    wanted = len(run.children)
    checks = [Check("children", f"{wanted}", f"{len(there)} of {wanted}", there >= set(run.children))]
    if run.write.contact is not None:
        now = parent.contact
        found = (now.name if now else None) or "nobody"
        same = now is not None and run.contact is not None and now.id == run.contact
        checks.append(Check("contact", run.write.contact, found, same))
    return checks
