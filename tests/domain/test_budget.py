"""Budgets of calls: never above the limit, what each class is sure of, and the brake."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.domain import budget
from mspterm.domain.budget import CLASSES, CallClass, Ledger, Limit

MINUTE = Limit(100, 60.0, take=1.0)


def ask(ledger: Ledger, kind: CallClass, now: float, limit: Limit | None = MINUTE) -> tuple[Ledger, bool]:
    ledger = budget.settled(ledger, now)
    if budget.wait(ledger, limit, kind, now) > 0:
        return ledger, False
    return budget.spend(ledger, limit, kind, now), True


def granted(ledger: Ledger, kind: CallClass, now: float, tries: int = 200) -> tuple[Ledger, int]:
    got = 0
    for _ in range(tries):
        ledger, went = ask(ledger, kind, now)
        got += went
    return ledger, got


STEPS = st.lists(st.tuples(st.floats(0, 40), st.sampled_from(CLASSES), st.integers(1, 8)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_window_wherever_it_begins_holds_more_than_the_limit(
    steps: list[tuple[float, CallClass, int]],
) -> None:
    limit, ledger, now = Limit(10, 60.0, take=1.0), Ledger(), 1000.0
    went: list[float] = []
    for pause, kind, tries in steps:
        now += pause
        for _ in range(tries):
            ledger, may = ask(ledger, kind, now, limit)
            went += [now] if may else []
    assert all(sum(at - 60 <= other <= at for other in went) <= 10 for at in went)


def test_polls_and_prefetch_leave_what_people_and_writes_need() -> None:
    ledger, prefetched = granted(Ledger(), "prefetch", 0.0)
    ledger, polled = granted(ledger, "poll", 0.0)
    assert (prefetched, polled) == (10, 20)
    ledger, written = granted(ledger, "action", 0.0)
    ledger, seen = granted(ledger, "interactive", 0.0)
    assert (written, seen) == (30, 40)


def test_a_person_may_have_what_polls_have_not_used_and_leaves_the_writes_theirs() -> None:
    ledger, seen = granted(Ledger(), "interactive", 0.0)
    ledger, written = granted(ledger, "action", 0.0)
    assert (seen, written) == (70, 30)


def test_the_wait_ends_when_the_call_may_go() -> None:
    ledger, _ = granted(Ledger(), "poll", 100.0)
    seconds = budget.wait(budget.settled(ledger, 110.0), MINUTE, "poll", 110.0)
    assert 50.0 <= seconds <= 52.0
    assert ask(ledger, "poll", 110.0 + seconds)[1]
    assert not ask(ledger, "poll", 110.0 + seconds - 2.1)[1]


def test_a_429_halves_the_rate_once_a_storm_and_it_rises_steadily() -> None:
    ledger = budget.settled(Ledger(), 1000.0)
    for _ in range(5):
        ledger = budget.braked(ledger, 1000.0, 30.0)
    assert (ledger.rate, budget.wait(ledger, MINUTE, "action", 1000.0)) == (0.5, 30.0)
    at = {s: budget.allowance(budget.settled(ledger, 1030.0 + s), MINUTE) for s in (0, 120, 240, 600, 9999)}
    assert at == {0: 50, 120: 60, 240: 70, 600: 100, 9999: 100}
    again = budget.braked(budget.settled(ledger, 1030.0), 1030.0, 0.0)
    assert again.rate == 0.25


def test_a_rate_never_falls_to_nothing() -> None:
    ledger = Ledger()
    for storm in range(20):
        ledger = budget.braked(budget.settled(ledger, storm * 6.0), storm * 6.0, 0.0)
    assert budget.allowance(ledger, MINUTE) >= 6
    assert ask(ledger, "action", 200.0)[1]


def test_calls_without_a_published_limit_are_counted_only_after_a_429() -> None:
    ledger, went = ask(Ledger(), "poll", 5.0, None)
    assert went
    assert ledger.spent == ()
    ledger, went = ask(budget.braked(ledger, 5.0, 0.0), "poll", 6.0, None)
    assert went
    assert budget.used(ledger)["poll"] == 1


def test_a_host_started_anew_has_spent_what_it_had() -> None:
    ledger, polled = granted(Ledger(), "poll", 5000.0)
    assert polled == 30
    ledger, went = ask(ledger, "poll", 3.0)
    assert not went
    assert ask(ledger, "poll", 3.0 + 62.0)[1]
