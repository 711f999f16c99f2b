"""The guard: whether a plan may be carried out now, and what a person must say first.

It answers with a value (allow, refuse, ask) and never prompts; `desk.perform` asks it for every write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from mspterm.domain.account_work import ANYWAY, replies_unverified, unverified
from mspterm.domain.action import (
    Allow,
    Ask,
    Consent,
    Lift,
    OpenSession,
    Plan,
    Reboot,
    Refuse,
    RunCommand,
    Target,
    Update,
    Verdict,
)
from mspterm.domain.caps import above, approval, free_text, policy
from mspterm.domain.circumstances import freeze_line, frozen, not_entered, window_line
from mspterm.domain.device import Device
from mspterm.domain.guard_context import GuardContext as GuardContext
from mspterm.domain.guard_context import refused
from mspterm.domain.raci import field_lines, not_ours
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.spec import Risk

Rule = Callable[[Plan, GuardContext], Failure | None]
Rules = tuple[Rule, ...]

TAKE_OVER = "take over"
_ON_DEVICES = (RunCommand, Reboot, OpenSession)
DO_NOT_TOUCH = "do-not-touch"
BREAK_GLASS = "break glass"
_QUOTES = str.maketrans("", "", "'\"`´‘’‚‛“”„‟«»‹›")


def judge(plan: Plan, ctx: GuardContext) -> Verdict:
    """The verdict over a plan as things stand: the first rule that speaks decides."""
    rules = _WRITES if plan.risk is Risk.ROUTINE else _WRITES + _DISRUPTIVE
    for rule in rules:
        failure = rule(plan, ctx)
        if failure is not None:
            return Refuse(failure, _LIFTS.get(rule))
    if plan.risk is not Risk.ROUTINE:
        return _heard(Ask(stake(plan, ctx), plan.phrase or phrase_for(plan)), ctx.consent)
    doubtful = tuple(replies_unverified(plan, ctx))
    # One phrase for both: who types it has the take-overs before them in the same question.
    if doubtful:
        return _heard(Ask((*_taken(plan, ctx), *doubtful), ANYWAY), ctx.consent)
    taken = tuple(_taken(plan, ctx))
    return _heard(Ask(taken, TAKE_OVER), ctx.consent) if taken else Allow()


def phrase_for(plan: Plan) -> str:
    """What must be typed: the device's name, or `N devices of CLIENT`, where glass is broken with
    those words before. Without quote characters, so that it can be quoted on any command line."""
    what = phrase_of(plan.targets)
    return what if plan.break_glass is None else f"{BREAK_GLASS} {what}"


def phrase_of(targets: Sequence[Target]) -> str:
    if len(targets) == 1:
        # A name of quote characters alone would leave nothing to type.
        return _plain(targets[0].name) or _plain(targets[0].ref)
    clients = sorted({t.client for t in targets if t.client})
    return _plain(f"{len(targets)} devices of {' and '.join(clients) or 'an unknown client'}")


def unconfirmed(ask: Ask) -> Failure:
    """The refusal where nobody can be asked. Its sentence ends in what to add to the command."""
    return refused(f"this needs a typed confirmation; add --confirm '{ask.phrase}'")


def stake(plan: Plan, ctx: GuardContext) -> tuple[str, ...]:
    """What a disruptive plan puts at risk, a line each: client, devices with their users, cover."""
    lines = [*plan.stake, f"client: {', '.join(plan.clients) or 'not known'}"]
    for target in plan.targets:
        device = ctx.devices.get(target.ref)
        lines.append(_device_line(device) if device else f"{target.name}: nothing is known about this device")
    if ctx.approved:
        lines.append(f"second person: {ctx.consent.approval}")
    if plan.break_glass is not None:
        lines.append(f"break-glass: {plan.break_glass}; a review of it stays open until somebody closes it")
    return (
        *lines,
        *field_lines(plan, ctx),
        f"coverage: {'; '.join(ctx.coverage) or 'not known'}",
        window_line(plan, ctx.around),
        freeze_line(plan, ctx.around),
    )


def _session(plan: Plan, ctx: GuardContext) -> Failure | None:
    if not (ctx.read_only or ctx.consent.read_only):
        return None
    return refused("this session is read-only; start mspterm without --read-only to write")


def _connections(plan: Plan, ctx: GuardContext) -> Failure | None:
    for name in _written_to(plan):
        if name in ctx.read_only_connections:
            sentence = (
                f"the connection {name} is read-only; set read_only = false in [connections.{name}] to write"
            )
            return Failure(Reason.REFUSED, sentence, name)
    return None


def _written_to(plan: Plan) -> Iterator[str]:
    """The connections that the plan writes to, that of the ticket which gets an output among them."""
    for write in plan.writes:
        yield write.ref.split(":", 1)[0]
        if isinstance(write, RunCommand) and write.attach:
            yield write.attach.split(":", 1)[0]


def _shared(plan: Plan, ctx: GuardContext) -> Failure | None:
    name = next((n for n in _written_to(plan) if n in ctx.shared_connections), None)
    # Clients take the PSA as the record of who did what: under a shared name only a signature says it.
    if name is None or (ctx.allow_shared and ctx.signer):
        return None
    way = "set [technician] name, which signs each text"
    if not ctx.allow_shared:
        way = "it is read-only unless [guard] allow_shared = true"
    return Failure(Reason.REFUSED, f"the connection {name} acts under a name that several share; {way}", name)


def _lockdown(plan: Plan, ctx: GuardContext) -> Failure | None:
    if not ctx.lockdown:
        return None
    return refused(
        "lockdown is on and stops every write; `mspterm lockdown off` lifts it where it is yours to lift"
    )


def _journal(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.journal_writable:
        return None
    return refused("the journal can't be written, and nothing is changed unrecorded; see `mspterm doctor`")


def _shown(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.consent.plan_hash in (None, plan.hash):
        return None
    return Failure(Reason.CONFLICT, "the plan changed since it was shown; look at it again and confirm that")


def _as_planned(plan: Plan, ctx: GuardContext) -> Failure | None:
    for target in plan.targets:
        now = ctx.known.get(target.ref)
        # Not by its version, which every poll may change: a note needn't be refused for that.
        if now is not None and (now.name, now.client) != (target.name, target.client):
            was, is_ = (f"{t.name} of {t.client or 'no client'}" for t in (target, now))
            sentence = f"{target.ref} was {was} when this was planned and is {is_} by now; look at it again"
            return Failure(Reason.CONFLICT, sentence)
    return None


def _untouchable(plan: Plan, ctx: GuardContext) -> Failure | None:
    for write in plan.writes:
        # Notes and time stay possible: who may not touch it must still be able to say so on a ticket.
        device = ctx.devices.get(write.ref) if isinstance(write, _ON_DEVICES) else None
        if device is not None and DO_NOT_TOUCH in device.flags:
            return refused(f"{device.name} is flagged do-not-touch; ask who set the flag, in [guard] flags")
    return None


def _incident(plan: Plan, ctx: GuardContext) -> Failure | None:
    for write in plan.writes:
        # On devices only: an incident is still written down on its ticket.
        ticket = ctx.incident_devices.get(write.ref) if isinstance(write, _ON_DEVICES) else None
        if ticket is not None:
            sentence = (
                f"{ticket} is a suspected security incident on this device: its evidence stays as it is"
            )
            return refused(f"{sentence}; who declared it may lift it (`mspterm incident {ticket} off`)")
    return None


def _keyed(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.journal_keyed:
        return None
    how = "set MSPTERM_SECRET_JOURNAL_KEY or run `mspterm auth login journal`"
    return refused(f"the journal has no key, so a disruptive action can't be proven later; {how}")


def _entry(plan: Plan, ctx: GuardContext) -> Failure | None:
    # Nobody is in two clients at a time; of a plan for several the others were shown to who signed it.
    above = ctx.approved or plan.break_glass is not None
    why = not_entered(plan, ctx.around, several=above)
    return None if why is None else refused(why)


def _freeze(plan: Plan, ctx: GuardContext) -> Failure | None:
    found = frozen(plan, ctx.around)
    if found is None or plan.emergency is not None:
        return None
    return refused(f"{found}; wait, or, with the client's approval, add --emergency REASON --approver WHO")


# The first that speaks is what the person hears: what stops every plan stands before what is wrong
# with this one.
_WRITES: Rules = (
    _session,
    _connections,
    _shared,
    _lockdown,
    _journal,
    _shown,
    _as_planned,
    _untouchable,
    _incident,
    unverified,
)
# `approval` before `above`: a signature that doesn't hold is told as such, not as one that is missing.
_DISRUPTIVE: Rules = (_keyed, policy, free_text, approval, above, _entry, not_ours, _freeze)
# No word of anybody's lifts any other rule.
_LIFTS: Mapping[Rule, Lift] = {above: Lift.SECOND_PERSON, _freeze: Lift.EMERGENCY, not_ours: Lift.EMERGENCY}


def _heard(ask: Ask, consent: Consent) -> Verdict:
    if consent.phrase is None:
        return ask
    typed = " ".join(consent.phrase.split())
    if typed == " ".join(ask.phrase.split()):
        return Allow()
    return Refuse(refused(f"the phrase typed is not the one asked for; it is --confirm '{ask.phrase}'"))


def _taken(plan: Plan, ctx: GuardContext) -> Iterator[str]:
    for write in plan.writes:
        holder = ctx.held.get(write.ref)
        if isinstance(write, Update) and write.owner is not None and holder and write.owner != holder.id:
            yield f"{holder.name} has {write.ref}: this takes it over"


def _device_line(device: Device) -> str:
    online = {True: "online", False: "OFFLINE", None: "online or not is unknown"}[device.online]
    user = f"user logged on: {device.user}" if device.user else "user logged on: not known"
    return ", ".join((f"{device.name}: {device.kind}", online, user, *(f.upper() for f in device.flags)))


def _plain(text: str) -> str:
    return " ".join(text.translate(_QUOTES).split())
