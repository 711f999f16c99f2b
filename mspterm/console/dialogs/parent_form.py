"""The form of a parent: which ticket, and the one text that the client gets."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.console.dialogs.context import AskContext, readers_of, ticket_lines
from mspterm.console.dialogs.fields import Offer, Option
from mspterm.console.dialogs.form import Form
from mspterm.console.dialogs.offers import ticket_offers
from mspterm.domain.action import Audience
from mspterm.domain.spec import ActionSpec
from mspterm.domain.ticket import Ticket


def parent_form(spec: ActionSpec, context: AskContext) -> Form:
    """The first of the tickets is the one proposed."""
    tickets = [context.planner.ticket(ref) for ref in context.refs]
    first = tickets[0]
    # One parent a client: its text must never reach another one.
    same = [t for t in tickets if (t.connection, t.client) == (first.connection, first.client)]
    manifests = [context.desk.manifest(first.connection)]
    usual = ticket_offers(spec.params, same, manifests, [])
    choices = tuple(Option(t.ref, f"#{t.number} {t.summary}") for t in same)
    offers = {
        **usual,
        "parent": Offer(choices, preset=choices[0].label),
        "audience": Offer(usual["audience"].options, preset=Audience.PUBLIC.value),
        "contact": Offer(now=first.contact.name if first.contact else "nobody: no mail at the client"),
    }
    return Form(
        title=f"{spec.title}: {spec.help}",
        params=spec.params,
        offers=context.filled(offers),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=ticket_lines(tickets),
        readers=lambda audience: readers_of([first], audience),
        draft=(spec.name, context.refs),
        text=context.text or drafted(same),
        # Untouched it is not kept: its count and its time are those of this moment.
        template=not context.text,
        problem=context.trouble,
    )


def drafted(tickets: Sequence[Ticket]) -> str:
    """The first word to a client: that it is known, how much, since when, and that work is on."""
    # People who call about it are not things that report it.
    seen = [t for t in tickets if t.active and t.type == "alert"] or tickets
    since = min(t.created_at for t in seen)
    where = f" at {seen[0].site}" if seen[0].site else ""
    return (
        f"We see a fault{where} since {since:%d %b %H:%M} UTC: {len(seen)} things report it so far. We are"
        " working on it, and write here as soon as there is news."
    )
