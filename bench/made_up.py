"""Made-up ticket rows for the benches and the floor app."""

from __future__ import annotations

from mspterm.domain.row import ClockState, StatusClass, TicketRow
from mspterm.domain.text import SafeText

CLIENTS = ("Harborview Dental", "Oakridge Legal", "Kessler Logistics", "St. Brannoc's", "Pine Street Vets")
TEXTS = ("Server DC01 disk D: below 5% free", "Printer on 2nd floor offline", "VPN drops every hour")


def row(number: int, now: float, *, revision: int = 1, due_in: float | None = None) -> TicketRow:
    """Ticket `number`; every one has a running clock, `due_in` seconds or hours apart."""
    client = SafeText(CLIENTS[number % len(CLIENTS)])
    due = now + (due_in if due_in is not None else 7200 + number * 61)
    return TicketRow(
        ref=f"rt:{number}",
        connection="rt",
        number=str(number),
        summary=SafeText(f"{TEXTS[number % len(TEXTS)]} v{revision} (#{number})"),
        client=client,
        priority=1 + number % 4,
        status=SafeText("open"),
        status_class=StatusClass.NEW if number % 5 == 0 else StatusClass.OPEN,
        waiting_on=None,
        assignee=SafeText("Ines Duarte") if number % 3 else None,
        assignee_id="ines" if number % 3 else None,
        queue=SafeText("Service Desk"),
        tier="L1",
        type="incident",
        contact=SafeText("Dana Whitlock"),
        device=SafeText(f"HVD-WS{number % 90:02}"),
        due=due,
        due_kind="resolution",
        due_state=ClockState.RUNNING,
        created_at=now - 90_000 - number,
        updated_at=now - 7_500 - number,
        customer_replied_at=now - 500 if number % 7 == 0 else None,
        next_action_at=None,
        pending=0,
        order=f"{number:08}",
        revision=revision,
    )


def rows(count: int, now: float) -> list[TicketRow]:
    return [row(number, now) for number in range(1, count + 1)]
