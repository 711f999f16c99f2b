"""The form of an escalation: where to, and a handoff that spares the next tier the same questions."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.console.dialogs.context import RELEASE, AskContext, readers_of, ticket_lines
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Followed, Form, Offers
from mspterm.desk.escalation import calls, proposals_now, vendor_of, whom
from mspterm.desk.handoffs import drafted_from_store
from mspterm.domain import handoff
from mspterm.domain.action import Audience
from mspterm.domain.route import goes_down
from mspterm.domain.spec import ActionSpec, Param, Values
from mspterm.domain.ticket import Ticket

_TIERS = ("L1", "L2", "L3")
_VENDOR = "vendor"
_OWNER = Param("release", "Owner then", "choice", choices=("as now", RELEASE))


def escalate_form(spec: ActionSpec, context: AskContext) -> Form:
    ticket = context.planner.ticket(context.refs[0])
    proposal = next(iter(proposals_now(context.desk, ticket)), None)

    def offers(queues: Sequence[str]) -> Offers:
        targets = _targets(context, ticket, queues)
        to = next((t.label for t in targets if proposal is not None and t.value == proposal.to), "")
        made = {
            "to": Offer(targets, now=ticket.queue, preset=to),
            "reason": Offer(preset=proposal.why if proposal is not None else ""),
            "number": Offer(),
        }
        release = Offer(options(_OWNER.choices), now=ticket.assignee, preset=_OWNER.choices[0])
        # Not through `filled`, to which a yes or no is the one about mail.
        return {**context.filled(made), "release": release}

    async def later() -> Offers:
        return offers((await context.planner.choices(ticket.connection)).queues)

    *fields, text = spec.params
    return Form(
        title=f"{spec.title}: {spec.help}",
        params=(*fields, _OWNER, text),
        offers=offers(context.planner.known_choices(ticket.connection).queues),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=ticket_lines([ticket]),
        audience=Audience.INTERNAL,
        readers=lambda audience: readers_of([ticket], audience),
        draft=(spec.name, context.refs),
        later=later,
        text=context.text or drafted_from_store(context.desk, ticket.ref),
        template=not context.text,
        problem=context.trouble,
        check=lambda values: _unreadable(context, ticket, values),
        follow=lambda name, value: _there(context, ticket, value) if name == "to" else None,
    )


def _targets(context: AskContext, ticket: Ticket, queues: Sequence[str]) -> tuple[Option, ...]:
    """The tiers and vendors that the config names, then every queue; never where the ticket is already."""
    tiers = context.desk.connection(ticket.connection).tiers
    found = []
    for tier in _TIERS:
        of_tier = [queue for queue, t in tiers.items() if t == tier]
        if of_tier and ticket.queue not in of_tier:
            found.append(Option(f"tier:{tier[1:]}", f"{tier} ({of_tier[0]})"))
    vendors = context.desk.config.escalation.vendors.items()
    found += [Option(f"vendor:{name}", f"vendor {vendor.name}") for name, vendor in vendors]
    of_vendors = [queue for queue, t in tiers.items() if t == _VENDOR]
    if not vendors and of_vendors and ticket.queue not in of_vendors:
        found.append(Option(f"vendor:{of_vendors[0]}", f"vendor ({of_vendors[0]})"))
    return (*found, *(Option(f"queue:{q}", f"queue {q}") for q in queues if q != ticket.queue))


def _queue(context: AskContext, ticket: Ticket, to: str) -> str | None:
    """The queue that a choice means, as far as the config alone tells."""
    kind, _, name = to.partition(":")
    if kind == "queue":
        return name
    vendor = vendor_of(context.desk, to)
    if vendor is not None and ticket.connection in vendor.queues:
        return vendor.queues[ticket.connection]
    tier = f"L{name}" if kind == "tier" else _VENDOR
    tiers = context.desk.connection(ticket.connection).tiers
    return next((queue for queue, t in tiers.items() if t == tier), None)


def _there(context: AskContext, ticket: Ticket, to: str) -> Followed:
    """Who will read it, and whom to call."""
    vendor = vendor_of(context.desk, to)
    found = whom(context.desk, ticket.connection, _queue(context, ticket, to), vendor)
    said = "; ".join(line.strip() for line in calls(found))
    return Followed({}, said if to else "")


def _unreadable(context: AskContext, ticket: Ticket, values: Values) -> str | None:
    """A handoff has five parts; what goes back down needs a reason, in any words."""
    to = str(values["to"] or "")
    tier = context.desk.connection(ticket.connection).tiers.get(_queue(context, ticket, to) or "")
    if goes_down(ticket.tier, tier):
        return None if values.get("reason") else f"Why does it go back to {tier}?"
    found = handoff.parse(str(values["text"]))
    return found.sentence if isinstance(found, handoff.HandoffError) else None
