"""Plans of what changes a ticket: its fields and texts, a claim, what is put on record."""

from __future__ import annotations

from collections.abc import Sequence

from mspterm.desk.choosing import one_of
from mspterm.desk.coverage import billable
from mspterm.desk.directory import Directory
from mspterm.desk.incidents import switch_text, verification
from mspterm.desk.plans.gathering import closed_with_children
from mspterm.desk.wanted import Wanted
from mspterm.domain.action import Audience, Plan
from mspterm.domain.planning import Asked, plan_update
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.row import StatusClass
from mspterm.domain.ticket import Ticket


async def plan_fields(book: Directory, action: str, refs: Sequence[str], wanted: Wanted) -> Plan:
    asked = [(t, await _asked(book, t, wanted, action)) for t in book.tickets(refs)]
    # These two are filled in for everybody: they are no change by themselves.
    if all(a == Asked(audience=a.audience, meets=a.meets) for _, a in asked):
        raise failed(Reason.REFUSED, f"{action}: nothing was given to change.")
    return await closed_with_children(book, plan_update(action, asked), asked)


async def _asked(book: Directory, ticket: Ticket, wanted: Wanted, action: str) -> Asked:
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
            book.must(name, needs)
    return Asked(
        text=wanted.text,
        audience=audience,
        mail=wanted.mail,
        minutes=wanted.minutes,
        status=await book.status(ticket, wanted.status) if wanted.status else None,
        owner=await book.owner(name, wanted.owner) if wanted.owner is not None else None,
        priority=wanted.priority,
        queue=one_of(wanted.queue, (await book.choices(name)).queues, "queue", name)
        if wanted.queue
        else None,
        next_at=wanted.next_at,
        meets=_meets(book, ticket, audience, wanted),
        billable=billable(book.desk, ticket.ref) if wanted.minutes else None,
        mail_words=book.desk.manifest(name).meets.get(f"mail {audience.value}", "") if wanted.text else "",
    )


def _meets(book: Directory, ticket: Ticket, audience: Audience, wanted: Wanted) -> str | None:
    """Which target this write meets: ours by the policy, else the vendor's in its own words."""
    public = wanted.text is not None and audience in (Audience.PUBLIC, Audience.RESOLUTION)
    ours = _ours(book, ticket, wanted.status, public=public)
    return ours or (book.desk.manifest(ticket.connection).meets.get("reply") if public else None)


def _ours(book: Directory, ticket: Ticket, status: str | None, *, public: bool) -> str | None:
    """The targets of the config's policy that a write meets, in words."""
    met = book.desk.clockwork.would_meet(ticket, book.desk.now(), status=status, public=public)
    return f"meets {' and '.join(met)} (calc)" if met else None


async def plan_claim(book: Directory, refs: Sequence[str], wanted: Wanted) -> Plan:
    asked = []
    for ticket in book.tickets(refs):
        me = await book.me(ticket.connection)
        manifest = book.desk.manifest(ticket.connection)
        meets = manifest.meets.get("claim")
        status = await _claim_status(book, ticket)
        meets = _ours(book, ticket, status, public=False) or meets
        asked.append((ticket, Asked(owner=(me.id, me.name), status=status, meets=meets)))
    return plan_update("claim", asked)


async def _claim_status(book: Directory, ticket: Ticket) -> str | None:
    """The status that a claim sets on a new ticket: the config's ("" for none), else the vendor's."""
    if ticket.status_class is not StatusClass.NEW:
        return None
    by_queue = book.desk.connection(ticket.connection).claim_status
    configured = by_queue.get(ticket.queue or "", by_queue.get("*"))
    if configured is not None:
        # An empty word in the config forbids what the vendor would propose; no word at all doesn't.
        return configured or None
    return (await book.choices(ticket.connection, ticket)).claim_status


def plan_record(book: Directory, action: str, refs: Sequence[str], w: Wanted) -> Plan:
    """What is put on record as an internal note of a set form."""
    asked = []
    for ticket in book.tickets(refs):
        incident = action == "incident"
        text = (
            switch_text(book.desk, ticket, w.switch)
            if incident
            else (verification(ticket, w.method, w.number, w.result))
        )
        asked.append((ticket, Asked(text=text)))
    return plan_update(action, asked)
