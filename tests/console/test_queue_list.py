"""The queue list driven as an app: cursor by ref, selection, marks, and which cells are refreshed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from bench.made_up import row, rows
from mspterm.console.nothing import Nothing
from mspterm.console.queue_list import QueueList
from mspterm.console.theme import load_theme
from mspterm.domain.row import TicketRow

NOW = 1_790_000_000.0
SIZE = (120, 21)
PAGE = SIZE[1] - 1


class Recorded(QueueList):
    """A queue list that notes what it asks to be repainted."""

    def __init__(self) -> None:
        self.now = NOW
        self.regions: list[Region] = []
        self.wholes = 0
        super().__init__(lambda: self.now)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Recorded:
        self.regions.extend(regions)
        self.wholes += not regions
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self

    def forget(self) -> None:
        self.regions.clear()
        self.wholes = 0

    @property
    def lines(self) -> set[int]:
        """Rows on screen (from 0) that were asked to be repainted."""
        return {region.y - 1 for region in self.regions}


class Harness(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(load_theme("dark"))
        self.theme = "dark"
        self.heard: list[Message] = []
        self.queue = Recorded()

    def compose(self) -> ComposeResult:
        yield self.queue

    def on_mount(self) -> None:
        self.queue.focus()

    def on_queue_list_cursor_moved(self, message: QueueList.CursorMoved) -> None:
        self.heard.append(message)

    def on_queue_list_opened(self, message: QueueList.Opened) -> None:
        self.heard.append(message)

    def on_queue_list_selection_changed(self, message: QueueList.SelectionChanged) -> None:
        self.heard.append(message)


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Harness().run_test(size=SIZE) as pilot:
        queue_of(pilot).set_rows(rows(100, NOW))
        await pilot.pause()
        queue_of(pilot).forget()
        yield pilot


def queue_of(pilot: Pilot[None]) -> Recorded:
    assert isinstance(pilot.app, Harness)
    return pilot.app.queue


def heard(pilot: Pilot[None]) -> list[Message]:
    assert isinstance(pilot.app, Harness)
    return pilot.app.heard


def without(queue: QueueList, *refs: str) -> list[TicketRow]:
    return [row for row in queue.rows if row.ref not in refs]


def screen(queue: QueueList) -> Sequence[str]:
    return [queue.render_line(y).text for y in range(SIZE[1])]


async def test_moving_the_cursor_repaints_two_lines(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.press("down")
    assert queue.cursor_ref == "rt:2"
    assert queue.lines == {0, 1}
    assert queue.wholes == 0
    assert [type(m) for m in heard(pilot)][-1] is QueueList.CursorMoved


async def test_a_changed_row_repaints_its_own_line(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    changed = list(queue.rows)
    changed[5] = row(6, NOW, revision=2)
    queue.apply(changed)
    assert queue.lines == {5}
    assert " v2 " in screen(queue)[6]


async def test_the_same_rows_again_repaint_nothing(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.apply(list(queue.rows))
    assert (queue.regions, queue.wholes) == ([], 0)


async def test_a_tick_repaints_only_the_clocks_cells(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.now += 60
    queue.tick()
    assert queue.lines == set(range(PAGE))
    assert {(region.x, region.width) for region in queue.regions} == {(0, 9)}
    queue.forget()
    queue.now += 3600
    queue.tick()
    assert {(region.x, region.width) for region in queue.regions} == {(0, 14)}


async def test_a_tick_that_changes_no_text_repaints_nothing(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.press("home")
    queue.apply([replace(row(1, NOW, due_in=5400), due=None, updated_at=NOW - 90_000.0)])
    queue.forget()
    queue.now += 1
    queue.tick()
    assert queue.regions == []


async def test_scrolling_off_the_edge_jumps_half_a_page(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    for _ in range(PAGE):
        await pilot.press("down")
    lines = screen(queue)
    assert queue.cursor_ref == f"rt:{PAGE + 1}"
    assert f" P2 {PAGE + 1} " in lines[PAGE // 2 + 1]


async def test_the_cursor_stays_on_its_ticket_when_the_order_changes(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    assert queue.go_to("rt:3")
    queue.apply(list(reversed(queue.rows)))
    assert queue.cursor_ref == "rt:3"


async def test_a_removed_ticket_leaves_the_cursor_at_its_nearest_neighbour(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.go_to("rt:50")
    queue.apply(without(queue, "rt:50", "rt:51"))
    assert queue.cursor_ref == "rt:52"
    queue.go_to("rt:100")
    queue.apply(without(queue, "rt:100"))
    assert queue.cursor_ref == "rt:99"


async def test_another_view_starts_at_its_top_unless_the_ticket_is_in_it(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.go_to("rt:50")
    queue.set_rows([row(n, NOW) for n in (70, 50, 30)])
    assert queue.cursor_ref == "rt:50"
    queue.set_rows([row(n, NOW) for n in (7, 8, 9)])
    assert queue.cursor_ref == "rt:7"


async def test_rows_that_come_above_do_not_move_what_is_being_read(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.go_to("rt:60")
    before = screen(queue)
    queue.forget()
    queue.apply([row(n, NOW) for n in (201, 202, 203)] + list(queue.rows))
    assert screen(queue) == before
    assert queue.lines == set()


async def test_the_selection_survives_filtering_and_counts_what_is_hidden(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.press("space", "space")
    assert queue.selected == {"rt:1", "rt:2"}
    queue.set_rows(without(queue, "rt:1"))
    assert (queue.selected, queue.hidden_selected) == (frozenset({"rt:1", "rt:2"}), 1)
    queue.set_rows(rows(100, NOW))
    assert screen(queue)[1][14] == "*"
    last = [m for m in heard(pilot) if isinstance(m, QueueList.SelectionChanged)][-1]
    assert (last.count, last.hidden) == (2, 0)


async def test_extending_back_shrinks_the_span_and_keeps_what_was_marked(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.press("space", "down", "shift+down", "shift+down")
    assert queue.selected == {"rt:1", "rt:3", "rt:4", "rt:5"}
    await pilot.press("shift+up")
    assert queue.selected == {"rt:1", "rt:3", "rt:4"}
    queue.action_clear_selection()
    queue.action_select_all()
    assert len(queue.selected) == 100


async def test_what_changed_since_you_looked_is_marked_until_it_is_seen(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.looked(1)
    changed = list(queue.rows)
    changed[1] = row(2, NOW, revision=5)
    queue.apply(changed)
    assert [line[16] for line in screen(queue)[1:4]] == [" ", "+", " "]
    queue.looked_at("rt:2")
    assert screen(queue)[2][16] == " "


async def test_enter_opens_the_ticket_under_the_cursor(pilot: Pilot[None]) -> None:
    await pilot.press("j", "enter")
    opened = [m for m in heard(pilot) if isinstance(m, QueueList.Opened)]
    assert [m.ref for m in opened] == ["rt:2"]


async def test_paging_and_the_ends(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.press("end")
    assert queue.place == (100, 100)
    await pilot.press("down", "pageup")
    assert queue.place == (100 - PAGE, 100)
    await pilot.press("home", "up", "k")
    assert queue.place == (1, 100)


async def test_a_click_moves_the_cursor_and_the_header_is_no_row(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    await pilot.click(QueueList, offset=(30, 4))
    assert queue.cursor_ref == "rt:4"
    await pilot.click(QueueList, offset=(30, 0))
    assert queue.cursor_ref == "rt:4"


async def test_the_four_kinds_of_nothing_do_not_look_alike(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    queue.set_rows([])
    looks = set()
    for why in Nothing:
        queue.set_nothing(why, "rt has no answer yet")
        line = queue.render_line(2)
        assert "rt has no answer yet" in line.text
        looks.add((line.text.split()[0], next(iter(line)).style))
    assert len(looks) == len(Nothing)
    assert queue.cursor_ref is None
    await pilot.press("down", "space", "shift+down", "enter", "pagedown")
    assert queue.selected == frozenset()


async def test_every_width_fills_its_lines_exactly(pilot: Pilot[None]) -> None:
    queue = queue_of(pilot)
    for width in (60, 80, 120, 200, 41):
        await pilot.resize_terminal(width, 21)
        await pilot.pause()
        assert {queue.render_line(y).cell_length for y in range(20)} == {width}
