"""A plan confirmed or refused, its batches looked at, its outcome read: nothing is sent that wasn't meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input
from textual.worker import Worker

from mspterm.console.dialogs import confirm, sentence_of, show_results
from mspterm.console.dialogs.confirm import refused
from mspterm.console.dialogs.frame import Dialog
from mspterm.console.dialogs.result import look_between
from mspterm.domain.action import (
    Allow,
    Ask,
    Consent,
    Lift,
    Outcome,
    Plan,
    Refuse,
    Result,
    State,
    Target,
    Update,
)
from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.spec import Risk
from tests.console.pane_app import Room, a_room, shown, until, until_text
from tests.console.test_dialogs import Asked

DEVICE = "mesh:OAK-DC01"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


@asynccontextmanager
async def confirming(room: Room, plan: Plan, verdict: Allow | Ask) -> AsyncIterator[Asked]:
    async with shown(room) as pilot:
        asked = Asked(pilot, room.app.run_worker(confirm(room.app, plan, verdict)))
        await until(pilot, lambda: asked.open and room.app.focused is not None)
        yield asked
        if not asked.worker.is_finished:
            await asked.press("escape")


def a_plan(phrase: str | None = None) -> Plan:
    target = Target("rt:1", "#1 Ticket 1", "Oak")
    lines = ("rt:1 #1 Ticket 1 (Oak)", "  owner: nobody -> Ines Duarte", "  [b]not bold[/b]")
    return Plan("claim", Risk.ROUTINE, (Update("rt:1", owner="ines"),), (target,), lines, (), phrase)


@pytest.mark.parametrize("key", ["enter", "y", "ctrl+g"])
async def test_an_allowed_plan_is_shown_and_one_key_sends_it(room: Room, key: str) -> None:
    plan = a_plan()
    async with confirming(room, plan, Allow()) as asked:
        assert "owner: nobody -> Ines Duarte" in asked.text
        assert "[b]not bold[/b]" in asked.text
        await asked.press(key)
        assert await asked.end() == Consent(plan_hash=plan.hash)


async def test_escape_sends_nothing(room: Room) -> None:
    async with confirming(room, a_plan(), Allow()) as asked:
        await asked.press("escape")
        assert await asked.end() is None


async def test_only_the_exact_phrase_confirms(room: Room) -> None:
    plan = a_plan("take over")
    asks = Ask(("Marcus Bell has rt:1: this takes it over",), "take over")
    async with confirming(room, plan, asks) as asked:
        assert "At stake: Marcus Bell has rt:1" in asked.text
        for wrong in (["enter"], ["y", "enter"], ["ctrl+g"], [*" take over", "enter"]):
            await asked.press(*wrong)
            assert not asked.worker.is_finished
            assert "Nothing is sent until it reads exactly: take over" in asked.text
            asked.pilot.app.screen.query_one(Input).value = ""
        await asked.type("take over")
        await asked.press("enter")
        assert await asked.end() == Consent("take over", plan.hash)


@asynccontextmanager
async def refusing(room: Room, lift: Lift | None) -> AsyncIterator[Asked]:
    refusal = Refuse(Failure(Reason.REFUSED, "6 devices are too many"), lift)
    async with shown(room) as pilot:
        asked = Asked(pilot, room.app.run_worker(refused(room.app, a_plan(), refusal)))
        await until(pilot, lambda: asked.open and room.app.focused is not None)
        assert "! 6 devices are too many" in asked.text
        yield asked


@pytest.mark.parametrize("lift", [None, *Lift])
async def test_a_refusal_is_shown_and_enter_closes_it(room: Room, lift: Lift | None) -> None:
    async with refusing(room, lift) as asked:
        await asked.press("enter")
        assert await asked.end() is False


async def test_a_refusal_that_a_person_can_lift_says_so(room: Room) -> None:
    async with refusing(room, Lift.EMERGENCY) as asked:
        assert "Emergency (ctrl+g)" in asked.text
        await asked.press("ctrl+g")
        assert await asked.end() is True


async def test_keys_typed_before_the_phrase_is_asked_are_none_of_it(room: Room) -> None:
    plan, asks = a_plan("take over"), Ask((), "take over")
    async with shown(room) as pilot:

        def open_with_keys_waiting() -> None:
            opened.append(room.app.run_worker(confirm(room.app, plan, asks)))
            for key in (*"take", "space", *"over", "enter"):
                room.app.post_message(
                    events.Key(key, " " if key == "space" else key if len(key) == 1 else None)
                )

        opened: list[Worker[Any]] = []
        room.app.call_later(open_with_keys_waiting)
        await until(pilot, lambda: isinstance(room.app.focused, Input))
        await pilot.pause()
        assert room.app.screen.query_one(Input).value == ""
        assert not opened[0].is_finished
        await pilot.press(*"take over", "enter")
        assert await opened[0].wait() == Consent("take over", plan.hash)


@pytest.mark.parametrize(("key", "goes_on"), [("ctrl+g", True), ("escape", False), ("enter", False)])
async def test_between_two_batches_a_person_looks(room: Room, key: str, goes_on: bool) -> None:
    async with shown(room) as pilot:
        worker = room.app.run_worker(look_between(room.app, a_plan(), [a_result(output="up 3 days")], 5))
        painted = await until_text(pilot, "up 3 days")
        assert "look at this before the next of 5 left" in painted
        await pilot.press(key)
        if key == "enter":
            assert not worker.is_finished
            await pilot.press("escape")
        assert await worker.wait() is goes_on


# Outcomes


def a_result(state: State = State.DONE, **fields: Any) -> Result:
    return Result(Outcome(DEVICE, state, **fields), "run", "0" * 16, "1")


async def test_a_commands_output_is_shown_clean_with_how_it_was_got(room: Room) -> None:
    result = a_result(
        output="Linux \x1b[31mred[/b]\nline 2", detail=("stdout and stderr merged, no exit code",)
    )
    async with shown(room) as pilot:
        worker = room.app.run_worker(show_results(room.app, a_plan(), [result]))
        painted = await until_text(pilot, "line 2")
        assert "Linux red[/b]" in painted
        assert "stdout and stderr merged, no exit code" in painted
        await pilot.press("escape")
        await worker.wait()
        assert not isinstance(room.app.screen, Dialog)


def test_a_result_in_one_sentence_names_its_reason() -> None:
    failure = Failure(Reason.PERMISSION, "RT refused it.", "rt")
    assert sentence_of(a_result(State.REFUSED, failure=failure)).endswith("run: refused. RT refused it.")
