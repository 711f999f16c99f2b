"""The form of a call that was made: whom, at which number, and what came of it."""

from __future__ import annotations

from mspterm.console.dialogs.context import AskContext, readers_of, ticket_lines
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Followed, Form
from mspterm.desk.desk import Desk
from mspterm.desk.escalation import number_of, to_call, vendor_of, whom
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience
from mspterm.domain.spec import ActionSpec

_MOVED = "A board move wakes nobody: call, then note here what came of it. Escape: no call now."


def call_form(spec: ActionSpec, context: AskContext) -> Form:
    ticket = context.planner.ticket(context.refs[0])
    people = to_call(context.desk, ticket)
    named = tuple(Option(name, f"{name} {phone}") for name, phone in people)
    results = next(p.choices for p in spec.params if p.name == "result")

    def follow(name: str, value: str) -> Followed | None:
        if name != "whom":
            return None
        number = number_of(context.desk, ticket, value)
        note = f"Number on file: {number}" if number else "No number of theirs is on file: write it down."
        return Followed({"number": Offer(options((number,)) if number else (), free=True)}, note)

    offers = {
        "whom": Offer(named, free=True, preset=people[0][0] if people else ""),
        "number": Offer(free=True, now=people[0][1] if people else None),
        "result": Offer(options(results)),
    }
    return Form(
        title=f"{spec.title}: {spec.help}",
        params=spec.params,
        offers=context.filled(offers),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=(*ticket_lines([ticket]), *([_MOVED] if context.before and not context.before.result else [])),
        audience=Audience.INTERNAL,
        readers=lambda audience: readers_of([ticket], audience),
        draft=(spec.name, context.refs),
        text=context.text,
        problem=context.trouble,
        follow=follow,
    )


def call_after(desk: Desk, ref: str, to: str | None) -> Wanted | None:
    """The call to log behind an escalation, since the move itself woke nobody; None where the config
    names nobody there."""
    ticket = desk.store.tickets.get(ref)
    if ticket is None:
        return None
    found = whom(desk, ticket.connection, ticket.queue, vendor_of(desk, to or ""))
    # Without a result: that is how the form knows that the call is yet to be made.
    return Wanted(whom=found.phones[0][0]) if found is not None and found.phones else None
