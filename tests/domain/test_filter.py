from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mspterm.domain.device import Alert
from mspterm.domain.filter import Filter, FilterContext, FilterError, parse, parse_alerts, parse_devices
from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.text import SafeText
from mspterm.domain.ticket import Contact
from tests.domain.domain_rows import NOW, clock, device, row

CTX = FilterContext(now=NOW.timestamp(), me={"rt": frozenset({"ines", "17"})})


def made(text: str) -> Filter[TicketRow]:
    parsed = parse(text)
    assert isinstance(parsed, Filter), parsed
    return parsed


def wrong(text: str) -> FilterError:
    parsed = parse(text)
    assert isinstance(parsed, FilterError), parsed
    return parsed


def hits(text: str, **ticket: Any) -> bool:
    return made(text).matches(row(**ticket), CTX)


OAK: dict[str, Any] = {
    "ident": "42",
    "client": SafeText("Oakridge Légal"),
    "summary": SafeText("Server DC01 disk D: below 5% free"),
    "contact": Contact(SafeText("Zoë Müller")),
    "device": "OAK-DC01",
    "assignee": SafeText("Marcus Bell"),
    "assignee_id": "marcus",
    "queue": SafeText("Tier 2"),
    "tier": "L2",
    "priority": 1,
    "status": SafeText("in progress"),
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "client:oak",
        "CLIENT:LEGAL",
        "client:elm,legal",
        "p:1",
        "p:p1,2",
        "priority:1",
        "owner:marc",
        "owner:marcus",
        "!owner:me",
        "!owner:none",
        "tier:L2",
        'queue:"tier 2"',
        "status:open",
        "status:progress",
        "contact:zoe",
        "device:dc01",
        "ref:rt:42",
        "type:incident",
        "disk below",
        '"disk D:"',
        "muller",
        "!printer",
        "age:>90m",
        "age:1h",
        "updated:<2h",
        "updated:>30m",
        "is:active !is:waiting !is:mine !is:replied !is:new !is:unassigned !is:pending !is:breached",
        "is:mine,active",
        "client: p: owner: age:> due:< is:",
        "client:oak p:1 !status:waiting DISK",
    ],
)
def test_it_finds(text: str) -> None:
    assert hits(text, **OAK)


@pytest.mark.parametrize(
    "text",
    [
        "client:elm",
        "p:2,3",
        "owner:me",
        "owner:none",
        "status:waiting",
        "!client:oak",
        "printer",
        "disk printer",
        '"below disk"',
        "age:<1h",
        "due:<1000d",
        "is:mine",
        "type:change",
    ],
)
def test_it_leaves_out(text: str) -> None:
    assert not hits(text, **OAK)


def test_me_is_another_id_in_each_connection() -> None:
    assert hits("owner:me", assignee_id="17")
    assert not hits("owner:me", assignee_id="17", connection="halo")
    assert hits("owner:me,none")


def test_due_and_breach_are_asked_of_now() -> None:
    assert hits("due:<1h", resolution=clock(0.5))
    assert hits("due:<1h is:breached due:<0", resolution=clock(-5))
    assert not hits("due:<1h", resolution=clock(2))
    assert not hits("due:<1h", resolution=clock(-1, ClockState.PAUSED))
    assert hits("is:breached", resolution=clock(-1, ClockState.BREACHED))


@pytest.mark.parametrize(
    ("expected", "ticket"),
    [
        (True, {"priority": 1}),
        (True, {"resolution": clock(0.9)}),
        (True, {"resolution": clock(-90), "status_class": StatusClass.NEW}),
        (False, {"resolution": clock(1.1)}),
        (False, {"priority": 1, "status_class": StatusClass.WAITING}),
        (False, {"priority": 1, "status_class": StatusClass.RESOLVED}),
        (False, {"resolution": clock(-1, ClockState.PAUSED)}),
    ],
)
def test_on_fire(expected: bool, ticket: dict[str, Any]) -> None:
    assert hits("is:fire", **ticket) is expected


def test_new_is_what_changed_since_one_looked() -> None:
    changed = row(revision=12)
    assert not made("is:new").matches(changed, CTX)
    assert made("is:new").matches(changed, replace(CTX, seen_revision=11))
    assert not made("is:new").matches(changed, replace(CTX, seen_revision=11, seen={"rt:1": 12}))


def test_a_changed_row_is_searched_anew() -> None:
    printer = made("printer")
    # A ref of its own: what is folded is kept by ref and revision for the whole process.
    assert not printer.matches(row("anew", revision=1), CTX)
    assert printer.matches(row("anew", revision=2, summary=SafeText("Printer jams")), CTX)


@pytest.mark.parametrize(
    ("text", "position", "nearest"),
    [
        ("clinet:oak", 0, "client"),
        ("p:1 stat:open", 4, "status"),
        ("zzzz:1", 0, None),
        ("is:mien", 0, "mine"),
        ("is:mi", 0, "mine"),
        ("p:7", 0, None),
        ("p:1 age:>2y", 4, None),
    ],
)
def test_a_mistake_is_a_value_that_says_where_and_what_was_meant(
    text: str, position: int, nearest: str | None
) -> None:
    error = wrong(text)
    assert (error.position, error.nearest) == (position, nearest)
    assert error.sentence.endswith((".", '"quotes".'))


def test_it_says_itself_in_words() -> None:
    assert made('client:oak p:1,2 !status:waiting "two words"').describe() == (
        'client oak, p 1 or 2, not status waiting, "two words"'
    )
    assert made("client:").describe() == "everything"


def test_select_is_matches_over_many() -> None:
    rows = [row(str(n), priority=n % 5 + 1, revision=n) for n in range(40)]
    chosen = made("p:1,3 !ref:rt:1")
    assert chosen.select(rows, CTX) == [r for r in rows if chosen.matches(r, CTX)]
    assert 0 < len(chosen.select(rows, CTX)) < 16


def test_devices() -> None:
    dc = device(client=SafeText("Harborview"), kind="server", os=SafeText("Windows Server 2022"), online=True)
    for text in (
        "client:harbor",
        "name:dc01",
        "kind:server,network",
        "os:windows",
        "online:yes",
        "hvd 2022",
        "user:",
    ):
        parsed = parse_devices(text)
        assert isinstance(parsed, Filter)
        assert parsed.matches(dc, CTX), text
        assert not isinstance(offline := parse_devices("online:no"), FilterError)
        assert not offline.matches(dc, CTX)
    error = parse_devices("onlin:yes")
    assert isinstance(error, FilterError)
    assert error.nearest == "online"


def test_a_device_that_changed_is_searched_anew() -> None:
    parsed = parse_devices("priya")
    assert isinstance(parsed, Filter)
    assert not parsed.matches(device(), CTX)
    assert parsed.matches(device(user=SafeText("HVD\\priya")), CTX)


def test_alerts() -> None:
    alert = Alert(
        "mesh:9",
        "mesh",
        "9",
        "mesh:d1",
        None,
        "critical",
        SafeText("Disk D: 4% free"),
        NOW - timedelta(hours=3),
    )
    ctx = replace(CTX, device_names={"mesh:d1": "HVD-DC01"})
    for text, expected in [
        ("severity:crit", True),
        ("device:dc01", True),
        ("is:open age:>2h disk", True),
        ("client:oak", False),
        ("is:acknowledged", False),
    ]:
        parsed = parse_alerts(text)
        assert isinstance(parsed, Filter)
        assert parsed.matches(alert, ctx) is expected, text


pieces = st.sampled_from(
    [
        "client:",
        "p:1",
        "!",
        '"',
        ",",
        "\\",
        " ",
        "is:mine",
        "age:>2",
        "d",
        "oak",
        "owner:",
        "x:",
        "\t",
        "é",
        ":",
    ]
)


@given(st.lists(pieces | st.text(max_size=3), max_size=12).map("".join))
@example('"!a" !"client:x" client:"a,b\\"c\\\\",d a\\b "a b\\"')
def test_the_text_of_a_filter_gives_the_filter(text: str) -> None:
    parsed = parse(text)
    if isinstance(parsed, FilterError):
        assert 0 <= parsed.position < len(text)
        assert parsed.sentence
    else:
        assert parse(str(parsed)) == parsed
        parsed.matches(row(), CTX)


@given(st.text(min_size=1, max_size=20).filter(str.strip))
def test_a_quoted_word_finds_itself(word: str) -> None:
    quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert made(quoted).matches(row(summary=SafeText(f"a{word}b"), revision=hash(word)), CTX)
