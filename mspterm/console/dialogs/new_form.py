"""The form of a new ticket: fast enough for a caller who waits."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.connectors.base import Choices
from mspterm.console.dialogs.context import AskContext
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Followed, Form, Offers
from mspterm.console.dialogs.offers import PRIORITIES
from mspterm.domain.action import Audience
from mspterm.domain.spec import ActionSpec, Param

_ORDER = ("connection", "client", "contact", "summary", "device", "queue", "priority", "text")
_CONNECTION = Param("connection", "In", "choice", required=True)
_SHOWN = 3


def new_form(spec: ActionSpec, context: AskContext) -> Form:
    psas = context.desk.serving("psa")
    # Where there is only one, nobody is asked which.
    params = (*spec.params, _CONNECTION) if len(psas) > 1 else spec.params

    def offers(choices: Sequence[Choices]) -> Offers:
        return context.filled(_offers(context, psas, choices))

    async def later() -> Offers:
        return offers([await context.planner.choices(name) for name in psas])

    return Form(
        title=f"{spec.title}: {spec.help}",
        params=tuple(sorted(params, key=lambda p: _ORDER.index(p.name))),
        offers=offers([context.planner.known_choices(name) for name in psas]),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        audience=Audience.PUBLIC,
        readers=lambda audience: "public, read by the contact and all technicians",
        draft=(spec.name, ()),
        later=later,
        text=context.text,
        problem=context.trouble,
        follow=lambda name, value: _of_client(context, psas, value) if name == "client" else None,
    )


def _offers(context: AskContext, psas: Sequence[str], choices: Sequence[Choices]) -> Offers:
    clients = {client for found in choices for client in found.clients}
    # Until a server has told its clients, the assets in the store name most of them.
    clients |= {a.client for a in context.desk.store.devices.assets() if a.client and a.connection in psas}
    queues = dict.fromkeys(q for found in choices for q in found.queues)
    first = context.desk.connection(psas[0]) if len(psas) == 1 else None
    # With several PSAs no queue is usual: that of one would be filled in for another.
    usual = (q for q in (first.queues or first.tiers) if not queues or q in queues) if first else iter(())
    return {
        "connection": Offer(options(psas)),
        "client": Offer(options(sorted(clients, key=str.casefold))),
        "contact": Offer(free=True),
        "device": Offer(free=True),
        "queue": Offer(options(tuple(queues)), preset=next(usual, "")),
        "priority": Offer(PRIORITIES),
    }


def _of_client(context: AskContext, psas: Sequence[str], client: str) -> Followed:
    """The client's people, devices and open tickets: is it perhaps one of these already?"""
    store = context.desk.store
    rows = store.tickets.recent("client", client, but="", limit=50)
    # From tickets: no PSA is asked for its contacts while the caller waits.
    people = dict.fromkeys(row.contact for row in rows if row.contact)
    assets = [a for a in store.devices.assets() if a.client == client and a.connection in psas]
    offers = {
        "contact": Offer(options(tuple(people)), free=True),
        "device": Offer(tuple(Option(a.ref, a.name) for a in assets), free=True),
    }
    count = store.tickets.count_others(client, but="")
    last = ", ".join(f"#{r.number} {r.summary}" for r in rows[:_SHOWN])
    return Followed(offers, f"{count} open at {client}; last: {last}" if rows else "")
