"""The form of an escalation: where to, and a handoff that spares the next tier the same questions."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.console.dialogs.context import RELEASE, AskContext, readers_of, ticket_lines
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Form, Offers
from mspterm.domain import handoff
from mspterm.domain.action import Audience
from mspterm.domain.device import Device, DeviceDetail
from mspterm.domain.spec import ActionSpec, Param, Values
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Ticket, TicketDetail

_TIERS = ("L1", "L2", "L3", "vendor")
_OWNER = Param("release", "Owner then", "choice", choices=("as now", RELEASE))


def escalate_form(spec: ActionSpec, context: AskContext) -> Form:
    ticket = context.planner.ticket(context.refs[0])

    def offers(queues: Sequence[str]) -> Offers:
        release = Offer(options(_OWNER.choices), now=ticket.assignee, preset=_OWNER.choices[0])
        to = Offer(_targets(context, ticket, queues), now=ticket.queue)
        return {**context.filled({"to": to}), "release": release}

    async def later() -> Offers:
        return offers((await context.planner.choices(ticket.connection)).queues)

    return Form(
        title=f"{spec.title}: {spec.help}",
        params=(*spec.params, _OWNER),
        offers=offers(context.planner.known_choices(ticket.connection).queues),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=ticket_lines([ticket]),
        audience=Audience.INTERNAL,
        readers=lambda audience: readers_of([ticket], audience),
        draft=(spec.name, context.refs),
        later=later,
        text=context.text or drafted(context, ticket),
        template=not context.text,
        problem=context.trouble,
        check=_unreadable,
    )


def _targets(context: AskContext, ticket: Ticket, queues: Sequence[str]) -> tuple[Option, ...]:
    """The tiers that the config names, then every queue; never where the ticket is already."""
    tiers = context.desk.connection(ticket.connection).tiers
    found = []
    for tier in _TIERS:
        of_tier = [queue for queue, t in tiers.items() if t == tier]
        if of_tier and ticket.queue not in of_tier:
            value = f"vendor:{of_tier[0]}" if tier == "vendor" else f"tier:{tier[1:]}"
            found.append(Option(value, f"{tier} ({of_tier[0]})"))
    return (*found, *(Option(f"queue:{q}", f"queue {q}") for q in queues if q != ticket.queue))


def drafted(context: AskContext, ticket: Ticket) -> str:
    """The handoff with all that the store knows."""
    store, now = context.desk.store, context.desk.now()
    detail = store.tickets.detail(ticket.ref) or TicketDetail(ticket, SafeText(""))
    refs = store.tickets.device_refs(ticket.ref).get(ticket.ref, ())
    device = next((d for ref in refs if (d := store.devices.get(ref))), None)
    others = store.tickets.count_active(ticket.client) - 1 if ticket.client else None
    return handoff.render(handoff.draft(detail, _detail(device), now, open_at_client=others))


def _detail(device: Device | None) -> DeviceDetail | None:
    return None if device is None else DeviceDetail(device)


def _unreadable(values: Values) -> str | None:
    found = handoff.parse(str(values["text"]))
    return found.sentence if isinstance(found, handoff.HandoffError) else None
