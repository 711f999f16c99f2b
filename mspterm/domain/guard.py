"""The guard: whether a plan may be carried out now, and what a person must say first.

It answers with a value (allow, refuse, ask) and never prompts; `desk.perform` asks it for every write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mspterm.domain.action import (
    Allow,
    Ask,
    Consent,
    OpenSession,
    Plan,
    Reboot,
    Refuse,
    RunCommand,
    Update,
    Verdict,
)
from mspterm.domain.circumstances import Circumstances, freeze_line, frozen, not_entered, window_line
from mspterm.domain.device import Device
from mspterm.domain.people import Technician
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.spec import Risk

TAKE_OVER = "take over"
_ON_DEVICES = (RunCommand, Reboot, OpenSession)
DO_NOT_TOUCH = "do-not-touch"
_QUOTES = str.maketrans("", "", "'\"`´‘’‚‛“”„‟«»‹›")


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What the guard judges by. `devices` holds those that the plan acts on, by ref, with the config's
    flags among their own; `held` the owners of its tickets where that is another technician."""

    read_only: bool = False
    read_only_connections: frozenset[str] = frozenset()
    shared_connections: frozenset[str] = frozenset()
    allow_shared: bool = False
    signer: str | None = None
    lockdown: bool = False
    journal_writable: bool = True
    journal_keyed: bool = True
    max_devices: int = 5
    max_clients: int = 1
    max_disruptive_per_hour: int = 20
    disruptive_last_hour: int = 0
    policy_doubt: str | None = None
    around: Circumstances = field(default_factory=Circumstances)
    devices: Mapping[str, Device] = field(default_factory=dict)
    held: Mapping[str, Technician] = field(default_factory=dict)
    coverage: tuple[str, ...] = ()
    """What isn't covered, at what rate and with whose OK, or that all is."""
    incident_devices: Mapping[str, str] = field(default_factory=dict)
    """The ticket of a suspected security incident by the device that it is about."""
    consent: Consent = field(default_factory=Consent)


def judge(plan: Plan, ctx: GuardContext) -> Verdict:
    """The verdict over a plan as things stand: the first rule that speaks decides."""
    rules = _WRITES if plan.risk is Risk.ROUTINE else _WRITES + _DISRUPTIVE
    for rule in rules:
        failure = rule(plan, ctx)
        if failure is not None:
            return Refuse(failure)
    if plan.risk is not Risk.ROUTINE:
        return _heard(Ask(stake(plan, ctx), plan.phrase or phrase_for(plan)), ctx.consent)
    taken = tuple(_taken(plan, ctx))
    return _heard(Ask(taken, TAKE_OVER), ctx.consent) if taken else Allow()


def phrase_for(plan: Plan) -> str:
    """What must be typed: the device's name, or `N devices of CLIENT`. Without quote characters, so
    that it can be quoted on any command line."""
    if len(plan.targets) == 1:
        return _plain(plan.targets[0].name) or _plain(plan.targets[0].ref)
    return _plain(f"{len(plan.targets)} devices of {' and '.join(plan.clients) or 'an unknown client'}")


def unconfirmed(ask: Ask) -> Failure:
    """The refusal where nobody can be asked. Its sentence ends in what to add to the command."""
    return _refused(f"this needs a typed confirmation; add --confirm '{ask.phrase}'")


def stake(plan: Plan, ctx: GuardContext) -> tuple[str, ...]:
    """What a disruptive plan puts at risk, a line each: client, devices with their users, cover."""
    lines = [*plan.stake, f"client: {', '.join(plan.clients) or 'not known'}"]
    for target in plan.targets:
        device = ctx.devices.get(target.ref)
        lines.append(_device_line(device) if device else f"{target.name}: nothing is known about this device")
    return (
        *lines,
        f"coverage: {'; '.join(ctx.coverage) or 'not known'}",
        window_line(plan, ctx.around),
        freeze_line(plan, ctx.around),
    )


def _session(plan: Plan, ctx: GuardContext) -> Failure | None:
    if not (ctx.read_only or ctx.consent.read_only):
        return None
    return _refused("this session is read-only; start mspterm without --read-only to write")


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
    if name is None or (ctx.allow_shared and ctx.signer):
        return None
    way = "set [technician] name, which signs each text"
    if not ctx.allow_shared:
        way = "it is read-only unless [guard] allow_shared = true"
    return Failure(Reason.REFUSED, f"the connection {name} acts under a name that several share; {way}", name)


def _lockdown(plan: Plan, ctx: GuardContext) -> Failure | None:
    if not ctx.lockdown:
        return None
    return _refused(
        "lockdown is on and stops every write; `mspterm lockdown off` lifts it where it is yours to lift"
    )


def _journal(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.journal_writable:
        return None
    return _refused("the journal can't be written, and nothing is changed unrecorded; see `mspterm doctor`")


def _shown(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.consent.plan_hash in (None, plan.hash):
        return None
    return Failure(Reason.CONFLICT, "the plan changed since it was shown; look at it again and confirm that")


def _untouchable(plan: Plan, ctx: GuardContext) -> Failure | None:
    for write in plan.writes:
        device = ctx.devices.get(write.ref) if isinstance(write, _ON_DEVICES) else None
        if device is not None and DO_NOT_TOUCH in device.flags:
            return _refused(f"{device.name} is flagged do-not-touch; ask who set the flag, in [guard] flags")
    return None


def _incident(plan: Plan, ctx: GuardContext) -> Failure | None:
    for write in plan.writes:
        ticket = ctx.incident_devices.get(write.ref) if isinstance(write, _ON_DEVICES) else None
        if ticket is not None:
            sentence = (
                f"{ticket} is a suspected security incident on this device: its evidence stays as it is"
            )
            return _refused(f"{sentence}; who declared it may lift it (`mspterm incident {ticket} off`)")
    return None


def _keyed(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.journal_keyed:
        return None
    how = "set MSPTERM_SECRET_JOURNAL_KEY or run `mspterm auth login journal`"
    return _refused(f"the journal has no key, so a disruptive action can't be proven later; {how}")


def _device_cap(plan: Plan, ctx: GuardContext) -> Failure | None:
    count = len(plan.targets)
    if count <= ctx.max_devices:
        return None
    return _refused(
        f"{count} devices are more than the cap of {ctx.max_devices} for one action; choose fewer"
    )


def _client_cap(plan: Plan, ctx: GuardContext) -> Failure | None:
    # What names no client may belong to any: it counts as one more.
    count = len({target.client for target in plan.targets})
    if count <= ctx.max_clients:
        return None
    return _refused(
        f"the devices are of {count} clients, the cap is {ctx.max_clients}; take one client at a time"
    )


def _hour_cap(plan: Plan, ctx: GuardContext) -> Failure | None:
    count, most = len(plan.writes), ctx.max_disruptive_per_hour
    if ctx.disruptive_last_hour + count <= most:
        return None
    return _refused(
        f"{ctx.disruptive_last_hour} disruptive actions in the last hour and {count} more are over the cap of"
        f" {most}; wait, or have [guard] max_disruptive_per_hour raised"
    )


def _policy(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.policy_doubt is None:
        return None
    return _refused(f"the host's policy can't be read, so its limits are not known: {ctx.policy_doubt}")


def _entry(plan: Plan, ctx: GuardContext) -> Failure | None:
    why = not_entered(plan, ctx.around)
    return None if why is None else _refused(why)


def _freeze(plan: Plan, ctx: GuardContext) -> Failure | None:
    found = frozen(plan, ctx.around)
    if found is None or plan.emergency is not None:
        return None
    return _refused(
        f"{found}; wait, or on the command line, with the client's approval, add"
        " --emergency REASON --approver WHO"
    )


_WRITES: tuple[Callable[[Plan, GuardContext], Failure | None], ...] = (
    _session,
    _connections,
    _shared,
    _lockdown,
    _journal,
    _shown,
    _untouchable,
    _incident,
)
_DISRUPTIVE = (_keyed, _policy, _entry, _freeze, _device_cap, _client_cap, _hour_cap)


def _heard(ask: Ask, consent: Consent) -> Verdict:
    if consent.phrase is None:
        return ask
    typed = " ".join(consent.phrase.split())
    if typed == " ".join(ask.phrase.split()):
        return Allow()
    return Refuse(_refused(f"the phrase typed is not the one asked for; it is --confirm '{ask.phrase}'"))


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


def _refused(sentence: str) -> Failure:
    return Failure(Reason.REFUSED, sentence)
