"""How much one action, one hour or one technician may do, and what lifts that."""

from __future__ import annotations

from collections.abc import Iterator

from mspterm.domain.action import OpenSession, Plan, RunCommand
from mspterm.domain.guard_context import GuardContext, refused
from mspterm.domain.reasons import Failure

_SECOND = (
    "have a second person sign it: --plan-out FILE, `mspterm approve FILE`, --approval FILE.approved; with"
    " nobody awake --break-glass REASON"
)
_LIBRARY = "run a script of the RMM's library (--script ID)"


def policy(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.policy_doubt is None:
        return None
    return refused(f"the host's policy can't be read, so its limits are not known: {ctx.policy_doubt}")


def free_text(plan: Plan, ctx: GuardContext) -> Failure | None:
    """Which tiers may type a command line or open a session; others have scripts of the RMM's library."""
    tiers = ctx.free_text_tiers
    # All three tiers are no limit, so it holds also where the technician's tier isn't set.
    if not _is_free_text(plan) or not set(tiers) < {"L1", "L2", "L3"} or ctx.tier in tiers:
        return None
    who = f"you are {ctx.tier}" if ctx.tier else "[technician] tier doesn't say yours"
    allowed = " and ".join(tiers) or "no tier"
    return refused(
        f"command lines and sessions are for {allowed} ([guard] free_text_tiers), and {who}; {_LIBRARY}"
    )


def _is_free_text(plan: Plan) -> bool:
    return any(
        isinstance(write, OpenSession) or (isinstance(write, RunCommand) and write.script is None)
        for write in plan.writes
    )


def approval(plan: Plan, ctx: GuardContext) -> Failure | None:
    if ctx.approval_doubt is None:
        return None
    return refused(f"the approval doesn't hold: {ctx.approval_doubt}")


def above(plan: Plan, ctx: GuardContext) -> Failure | None:
    over = next(_over(plan, ctx), None)
    if plan.break_glass is None:
        return None if over is None or ctx.approved else refused(f"{over}; or {_SECOND}")
    if not ctx.may_break_glass:
        return refused("nobody may break glass here ([guard] break_glass = false); have the plan signed")
    if over is None:
        return refused("nothing of this is above a cap, so there is no glass to break; leave that out")
    return None


def _over(plan: Plan, ctx: GuardContext) -> Iterator[str]:
    """The caps that the plan is above, each with what could be done about it alone."""
    count = len(plan.targets)
    if count > ctx.max_devices:
        yield f"{count} devices are more than the cap of {ctx.max_devices} for one action; choose fewer"
    # What names no client may belong to any: it counts as one more.
    clients = len(ctx.around.of(plan))
    if clients > ctx.max_clients:
        yield f"the devices are of {clients} clients, the cap is {ctx.max_clients}; take one client at a time"
    if _is_free_text(plan) and count > ctx.free_text_max_devices:
        yield (
            f"a command line may go to {ctx.free_text_max_devices} devices ([guard] free_text_max_devices),"
            f" not to {count}; choose fewer, {_LIBRARY}"
        )
    # What is asked counts as well: one plan may not step over the hour's cap at once.
    writes, most = len(plan.writes), ctx.max_disruptive_per_hour
    if ctx.disruptive_last_hour + writes > most:
        yield (
            f"{ctx.disruptive_last_hour} disruptive actions in the last hour and {writes} more are over the"
            f" cap of {most}; wait"
        )
