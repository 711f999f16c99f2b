"""The form of a command: on which device of whom, in which shell, as whom; or a script of the RMM's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from mspterm.connectors.base import HasScripts, Script
from mspterm.console.dialogs.context import AskContext
from mspterm.console.dialogs.fields import Offer, Option, options
from mspterm.console.dialogs.form import Form, Offers
from mspterm.console.ticket_header import online_word
from mspterm.domain.device import Device
from mspterm.domain.reasons import Failed
from mspterm.domain.spec import ActionSpec, Values

_ASKED = 5
"""Devices whose scripts are asked for; what the others lack, their RMM refuses."""


def run_form(spec: ActionSpec, context: AskContext) -> Form:
    devices = [context.planner.device(ref) for ref in context.refs]
    runs = any(param.name == "script" for param in spec.params)

    async def later() -> Offers:
        return {"script": replace(offers["script"], options=await _library(context, devices))}

    offers = _offers(spec, context, [device for device, _ in devices])
    return Form(
        title=f"{spec.title}: {spec.help}",
        params=spec.params,
        offers=offers,
        now=context.desk.now(),
        state_dir=context.desk.state_dir,
        intro=tuple(_device_line(device, client) for device, client in devices),
        problem=context.trouble,
        check=_one_of_two if runs else lambda values: None,
        later=later if runs and offers["script"].unable is None else None,
    )


def _one_of_two(values: Values) -> str | None:
    if bool(values.get("command")) == bool(values.get("script")):
        return "Either a command or a script of the library is needed."
    if values.get("parameters") and not values.get("script"):
        return "Parameters are a script's; a command holds its own."
    return None


async def _library(context: AskContext, devices: Sequence[tuple[Device, str | None]]) -> tuple[Option, ...]:
    """The scripts that all of the devices have; none where they can't be asked."""
    try:
        lists = await asyncio.gather(*(_scripts(context, device) for device, _ in devices[:_ASKED]))
    # No library is no reason to lose the form: a command can still be typed.
    except Failed:
        return ()
    common = set.intersection(*({script.id for script in found} for found in lists))
    return tuple(Option(s.id, f"{s.name} ({s.id})") for s in lists[0] if s.id in common)


async def _scripts(context: AskContext, device: Device) -> tuple[Script, ...]:
    connector = await context.desk.connector(device.connection)
    return await connector.scripts(device.id) if isinstance(connector, HasScripts) else ()


def _device_line(device: Device, client: str | None) -> str:
    word, _ = online_word(device.online)
    user = device.user or "nobody known"
    return f"{device.name} of {client or 'no known client'}: {device.kind}, {word}, logged on: {user}"


def _offers(spec: ActionSpec, context: AskContext, devices: Sequence[Device]) -> Offers:
    store = context.desk.store
    refs = dict.fromkeys(ref for device in context.refs for ref in store.devices.tickets_of(device))
    rows = [row for ref in refs if (row := store.tickets.row(ref))]
    tickets = tuple(Option(row.ref, f"{row.ref} {row.summary}") for row in rows)
    attach = Offer(tickets, free=True, preset=context.attach or "")
    chosen = {p.name: Offer(options(p.choices), preset=p.choices[0]) for p in spec.params if p.choices}
    ways = {"command": _way(context, devices, "command"), "script": _way(context, devices, "script")}
    return context.filled(
        {**ways, "parameters": Offer(unable=ways["script"].unable), **chosen, "attach": attach}
    )


def _way(context: AskContext, devices: Sequence[Device], need: str) -> Offer:
    """Whether every RMM of these can run a command line, or a script by name. What a manifest doesn't
    say of command lines is that it has them."""
    for name in sorted({device.connection for device in devices}):
        manifest = context.desk.manifest(name)
        if need == "script" or need in manifest.can:
            able = manifest.able(need)
            if not able.possible:
                return Offer(unable=able.reason)
    return Offer()
