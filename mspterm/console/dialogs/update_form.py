"""The form of an update, and of the short forms of one: note, reply, status, assign, time."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.connectors.base import Choices
from mspterm.console.dialogs.context import AskContext, readers_of, ticket_lines
from mspterm.console.dialogs.form import Form, Offers
from mspterm.console.dialogs.offers import ticket_offers
from mspterm.domain.action import Audience
from mspterm.domain.spec import ActionSpec
from mspterm.domain.ticket import Ticket

AUDIENCES = {"reply": Audience.PUBLIC}
"""Who reads the text of an action that leaves no choice; else technicians only."""


def update_form(spec: ActionSpec, context: AskContext) -> Form:
    tickets = [context.planner.ticket(ref) for ref in context.refs]
    manifests = [context.desk.manifest(name) for name in sorted({t.connection for t in tickets})]

    def offers(choices: Sequence[Choices]) -> Offers:
        return context.filled(ticket_offers(spec.params, tickets, manifests, choices))

    async def later() -> Offers:
        return offers([await context.planner.choices(t.connection, t) for t in _each(tickets)])

    return Form(
        title=f"{spec.title}: {spec.help}",
        params=spec.params,
        offers=offers([context.planner.known_choices(t.connection, t) for t in _each(tickets)]),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=ticket_lines(tickets),
        audience=AUDIENCES.get(spec.name),
        readers=lambda audience: readers_of(tickets, audience),
        draft=(spec.name, context.refs),
        later=later,
        text=context.text,
        problem=context.trouble,
    )


def _each(tickets: Sequence[Ticket]) -> list[Ticket]:
    """One ticket for every connection and queue: their choices are the same."""
    return list({(t.connection, t.queue_id): t for t in tickets}.values())
