"""The form of a command: on which device of whom, in which shell, as whom."""

from __future__ import annotations

from mspterm.console.dialogs.context import AskContext
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Form, Offers
from mspterm.console.ticket_header import online_word
from mspterm.domain.device import Device
from mspterm.domain.spec import ActionSpec


def run_form(spec: ActionSpec, context: AskContext) -> Form:
    devices = [context.planner.device(ref) for ref in context.refs]
    return Form(
        title=f"{spec.title}: {spec.help}",
        params=spec.params,
        offers=context.filled(_offers(spec, context)),
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=tuple(_device_line(device, client) for device, client in devices),
        problem=context.trouble,
    )


def _device_line(device: Device, client: str | None) -> str:
    word, _ = online_word(device.online)
    user = device.user or "nobody known"
    return f"{device.name} of {client or 'no known client'}: {device.kind}, {word}, logged on: {user}"


def _offers(spec: ActionSpec, context: AskContext) -> Offers:
    store = context.desk.store
    refs = dict.fromkeys(ref for device in context.refs for ref in store.devices.tickets_of(device))
    rows = [row for ref in refs if (row := store.tickets.row(ref))]
    tickets = tuple(Option(row.ref, f"{row.ref} {row.summary}") for row in rows)
    attach = Offer(tickets, free=True, preset=context.attach or "")
    chosen = {p.name: Offer(options(p.choices), preset=p.choices[0]) for p in spec.params if p.choices}
    return {**chosen, "attach": attach}
