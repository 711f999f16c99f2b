"""What is kept up by what changes is what a look at all rows finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mspterm.domain.filter import Filter, FilterContext, parse
from mspterm.domain.holding import Holding, Ordered
from mspterm.domain.order import SORTS
from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.ticket import Clock
from mspterm.domain.views import DEFAULT_VIEWS
from tests.domain.domain_rows import NOW, row

ME = {"rt": frozenset({"ines"})}
START = NOW.timestamp()
_OF_TIME = (
    *("due:<1h", "due:>30m", "!due:<=2h", "age:>3h", "age:<2h", "updated:<90m", "updated:>2h"),
    *("is:breached", "!is:breached", "is:escalate", "is:new", "is:mine,escalate", "age:>2h,<1h"),
)


def made(text: str) -> Filter[TicketRow]:
    found = parse(text)
    assert isinstance(found, Filter), found
    return found


FILTERS = (*(v.filter for v in DEFAULT_VIEWS), *map(made, _OF_TIME))
# Quarters of an hour, so that many instants are passed together; by a hundredth of a second, since what is
# compared with a time is judged again just after its instant.
PAST = 0.01
_minutes = st.integers(-24, 24).map(lambda quarters: 15 * quarters)


@st.composite
def rows(draw: st.DrawFn) -> TicketRow:
    due = NOW + timedelta(minutes=draw(_minutes)) if draw(st.booleans()) else None
    found = row(
        str(draw(st.integers(1, 8))),
        revision=draw(st.integers(1, 9)),
        priority=draw(st.integers(1, 3)),
        status_class=draw(st.sampled_from(StatusClass)),
        assignee_id=draw(st.sampled_from([None, "ines", "tom"])),
        created_at=NOW + timedelta(minutes=draw(_minutes)),
        updated_at=NOW + timedelta(minutes=draw(_minutes)),
        resolution=Clock(draw(st.sampled_from(ClockState)), due, "psa"),
    )
    return replace(found, escalate_at=draw(st.none() | _minutes.map(lambda m: START + 60 * m)))


_edits = st.tuples(st.just("edit"), rows())
_gone = st.tuples(st.just("gone"), st.integers(1, 8).map(lambda n: f"rt:{n}"))
_time = st.tuples(st.just("time"), st.integers(0, 12).map(lambda quarters: 900.0 * quarters))
_seen = st.tuples(st.just("seen"), st.integers(1, 8).map(lambda n: f"rt:{n}"))


@settings(max_examples=150, deadline=None)
@given(st.lists(rows(), max_size=8), st.lists(st.one_of(_edits, _gone, _time, _seen), max_size=12))
def test_what_is_kept_up_is_what_counting_from_scratch_finds(
    first: list[TicketRow], steps: list[tuple[str, object]]
) -> None:
    held, now = {r.ref: r for r in first}, START + PAST
    ctx = FilterContext(now, ME, 4, {})
    holdings = [Holding(f) for f in FILTERS]
    for holding in holdings:
        holding.fill(held.values(), ctx)
    for what, value in steps:
        if what == "time":
            assert isinstance(value, float)
            now += value
        ctx = replace(ctx, now=now)
        for holding in holdings:
            before = set(holding.refs)
            assert holding.pass_time(held, ctx) == (holding.refs != before)
        if isinstance(value, TicketRow):
            held[value.ref] = value
            for holding in holdings:
                holding.take(value, ctx)
        elif what == "gone" and value in held:
            del held[str(value)]
            for holding in holdings:
                holding.drop(str(value))
        elif what == "seen" and value in held:
            ctx = replace(ctx, seen={**ctx.seen, str(value): held[str(value)].revision})
            for holding in holdings:
                holding.judge(held[str(value)], ctx)
        for filter_, holding in zip(FILTERS, holdings, strict=True):
            wanted = {r.ref for r in filter_.select(held.values(), ctx)}
            assert holding.refs == wanted, (str(filter_), what, value)


@given(st.sampled_from(sorted(SORTS)), st.lists(rows(), max_size=8), st.lists(rows() | _gone, max_size=12))
def test_rows_stay_in_order(sort: str, first: list[TicketRow], steps: list[object]) -> None:
    key: Callable[[TicketRow], object] = SORTS[sort]
    held = {r.ref: r for r in first}
    ordered = Ordered(held.values(), key)
    for step in steps:
        after = step if isinstance(step, TicketRow) else None
        ref = after.ref if after is not None else step[1]  # type: ignore[index]
        ordered.put(held.pop(ref, None), after)
        held |= {} if after is None else {ref: after}
        assert list(ordered.rows) == sorted(held.values(), key=key)  # type: ignore[arg-type]


def test_the_next_instant_is_known_and_passing_it_looks_at_one_row() -> None:
    """Those that no clock of theirs has turned are not asked about."""
    soon, later = (
        row(n, resolution=Clock(ClockState.RUNNING, NOW + timedelta(hours=h), "psa"))
        for n, h in (("1", 2), ("2", 3))
    )
    held = Holding(made("is:fire"))
    held.fill([soon, later], FilterContext(START))
    assert held.next_at == START + 3600
    assert held.pass_time({"rt:1": soon}, FilterContext(START + 3600))
    assert (held.refs, held.next_at) == ({"rt:1"}, START + 7200)
