"""Children of a ticket: RT's MemberOf links, all of them in one PUT on the parent, and seen there afterwards."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mspterm.connectors.proof import Check
from mspterm.connectors.rt import proof, wire
from mspterm.connectors.rt.client import RtClient
from mspterm.connectors.rt.detail import Detail
from mspterm.connectors.rt.feed import Feed
from mspterm.domain.action import Attach, Outcome, State
from mspterm.domain.reasons import Failed, Failure
from mspterm.domain.ticket import Ticket
from mspterm.net.faults import MaybeSent


@dataclass(slots=True)
class _Run:
    """How far one attaching has come, in RT's own numbers."""

    write: Attach
    parent: str
    children: tuple[str, ...]
    said: tuple[str, ...] = ()
    maybe: Failure | None = None


class Gatherer:
    """Attaches children. RT mails nobody for a link, unless a site's own scrip does."""

    def __init__(self, client: RtClient, detail: Detail, feed: Feed) -> None:
        self._client, self._detail, self._feed, self._name = client, detail, feed, client.name

    async def attach(self, write: Attach) -> Outcome:
        children = tuple(ref.rpartition(":")[2] for ref in write.children)
        run = _Run(write, write.ref.rpartition(":")[2], children)
        # Adding keeps what is linked already, where naming them all would unlink the others.
        body: dict[str, Any] = {"AddChildren": list(children)}
        if write.contact is not None:
            # A list replaces: an integration's mailbox as requestor would get the client's mail.
            body["Requestor"] = [write.contact]
        try:
            answer = await self._client.send("PUT", "/ticket/{id}", body, id=run.parent)
            run.said = proof.sentences(answer.body)
        except MaybeSent as error:
            run.maybe = error.failure
        except Failed as error:
            return Outcome(write.ref, State.FAILED, proof.better(self._name, error))
        return await self._prove(run)

    async def _prove(self, run: _Run) -> Outcome:
        ref = run.write.ref
        try:
            row = await self._detail.row(run.parent, kind="action")
        except Failed as error:
            unread = f"It could not be read back: {error.failure.sentence}"
            return Outcome(ref, State.UNCERTAIN, run.maybe or error.failure, (unread,))
        checks, ticket = _checks(run, row), self._feed.map(row)
        others = await self._others(run.children)
        lines, missing = tuple(c.line() for c in checks), [c for c in checks if not c.ok]
        if not missing:
            return Outcome(ref, State.DONE, None, lines, ticket=ticket, others=others)
        failure = run.maybe or proof.refused(self._name, missing, run.said)
        state = State.UNCERTAIN if run.maybe is not None else State.FAILED
        return Outcome(ref, state, failure, lines, ticket=ticket, others=others)

    async def _others(self, numbers: tuple[str, ...]) -> tuple[Ticket, ...]:
        """The children as they are by now; what can't be read is brought by the next poll."""
        found: tuple[Ticket, ...] = ()
        with suppress(Failed, ValueError):
            page = await self._client.tickets(" OR ".join(f"id = {n}" for n in numbers), kind="action")
            found = tuple(self._feed.map(wire.item(raw, wire.WireTicket)) for raw in page.items)
        return found


def _checks(run: _Run, row: wire.WireTicket) -> list[Check]:
    linked = {str(link.id) for link in row.hyperlinks if (link.ref, link.type) == ("child", "ticket")}
    there, wanted = linked & set(run.children), len(run.children)
    checks = [Check("children", f"{wanted}", f"{len(there)} of {wanted}", len(there) == wanted)]
    if run.write.contact is not None:
        names = [n for user in row.requestor for n in (user.email_address, user.login) if n]
        # By either: RT takes an address or a login, and shows the user whom it found.
        same = any(n.casefold() == run.write.contact.casefold() for n in names)
        checks.append(Check("contact", run.write.contact, ", ".join(names) or "nobody", same))
    return checks
