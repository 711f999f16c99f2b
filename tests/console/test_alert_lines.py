"""What a ticket says of its alerts: a closed one whose alert is still on says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mspterm.console.alert_lines import alert_lines, words
from mspterm.desk.ties import keep
from mspterm.domain.row import StatusClass
from mspterm.domain.text import SafeText
from mspterm.domain.ties import Tie
from mspterm.store.store import Store
from tests.console.console_desk import NOW, ticket

ON = Tie("mesh:alert:a", "rt:1", "OAK-FW01 is offline", NOW)
DONE: dict[str, Any] = {"status": SafeText("resolved"), "status_class": StatusClass.RESOLVED}


@pytest.mark.parametrize(
    ("more", "done", "said"),
    [
        ({}, {}, "alert on: OAK-FW01 is offline"),
        ({}, DONE, "! the ticket is resolved, its alert is STILL ON: OAK-FW01 is offline"),
        ({"quiet": "in maintenance"}, {}, "alert on (quiet: in maintenance): OAK-FW01 is offline"),
        (
            {"cleared_at": NOW},
            {},
            "alert cleared 02:10 UTC: OAK-FW01 is offline; Alert cleared tells the ticket",
        ),
        ({"cleared_at": NOW, "told": True}, {}, "alert cleared 02:10 UTC: OAK-FW01 is offline"),
    ],
)
def test_one_sentence_an_alert(more: dict[str, Any], done: dict[str, Any], said: str) -> None:
    tie = Tie(ON.alert, ON.ticket, ON.message, ON.raised_at, **more)
    assert words(tie, ticket(1, **done)) == said


def test_only_the_tickets_own_alerts_oldest_first_and_a_lasting_one_stands_out(tmp_path: Any) -> None:
    store = Store(tmp_path)
    later = Tie("mesh:alert:b", "rt:1", "OAK-FW01: VPN tunnel down", NOW + timedelta(minutes=1), NOW)
    other = Tie("mesh:alert:c", "rt:2", "x", NOW)
    keep(store, {t.alert: t for t in (later, ON, other)})
    lines = alert_lines(store, ticket(1, **DONE), width=80)
    assert [(row.spans[0].text[:9], row.spans[0].role) for row in lines] == [
        ("! the tic", "warning"),
        ("alert cle", "ok"),
    ]
    store.close()
