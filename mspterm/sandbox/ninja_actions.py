"""What may be done to devices through NinjaOne."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.responses import Response

from mspterm.sandbox import reactions, scripts
from mspterm.sandbox.devices import Device, Maintenance
from mspterm.sandbox.ninja_ask import NinjaAsk
from mspterm.sandbox.ninja_auth import failure, ninja_answer

_FEATURES = ("ALERTS", "PATCHING", "AVSCANS", "TASKS")
# In lower case only: SYSTEM is refused (rmm-apis 1.6).
_ROLES = ("system", "loggedonuser", "local_admin", "domain_admin")
_CONTROLS = ("START", "PAUSE", "STOP", "RESTART")
# Above it a number can't be seconds, which would lie beyond the year 2286.
_MILLISECONDS = 10_000_000_000


async def _body(ask: NinjaAsk, allowed: tuple[str, ...]) -> dict[str, Any]:
    """The request's JSON object. Refuses a field that NinjaOne doesn't know (400)."""
    try:
        body = msgspec.json.decode(await ask.request.body() or b"{}")
    except msgspec.DecodeError:
        raise failure(400, "HTTP 400 Bad Request") from None
    if not isinstance(body, dict):
        raise failure(400, "HTTP 400 Bad Request")
    # `scriptId` in place of `id` is the mistake that clients make (rmm-apis 1.6).
    for name in body:
        if name not in allowed:
            raise failure(400, f'Unrecognized field "{name}"')
    return body


def _with_agent(ask: NinjaAsk) -> Device:
    device = ask.device()
    if device.model.os is None:
        raise failure(400, "The operation is not supported for this device")
    return device


async def run(ask: NinjaAsk) -> Response:
    """The result is found later, in the activities with this uid as `seriesUid`."""
    device = _with_agent(ask)
    body = await _body(ask, ("type", "id", "uid", "parameters", "runAs"))
    run_as = str(body.get("runAs", "system"))
    if run_as not in _ROLES:
        raise failure(400, f"Invalid credential role: {run_as}")
    if body.get("type") == "ACTION":
        name = scripts.ACTIONS.get(str(body.get("uid")))
        if name is None:
            raise failure(404, "HTTP 404 Not Found")
        return ninja_answer({"jobUid": reactions.run_action(ask.life, device, name).uid})
    script = scripts.SCRIPT.get(body["id"]) if isinstance(body.get("id"), int) else None
    if body.get("type") != "SCRIPT" or script is None:
        raise failure(400, "HTTP 400 Bad Request: type and id are required")
    if not scripts.fits(script, device):
        raise failure(400, "Script is not applicable for the device")
    job = reactions.run_script(ask.life, device, script, str(body.get("parameters") or ""), run_as)
    return ninja_answer({"jobUid": job.uid})


async def reboot(ask: NinjaAsk) -> Response:
    device = _with_agent(ask)
    if ask.request.path_params["mode"] not in ("NORMAL", "FORCED"):
        raise failure(404, "HTTP 404 Not Found")
    body = await _body(ask, ("reason",))
    reactions.reboot(ask.life, device, str(body.get("reason") or "no reason given"))
    return Response(status_code=204)


async def service(ask: NinjaAsk) -> Response:
    device, name = _with_agent(ask), ask.request.path_params["service"]
    if all(held.name != name for held in device.services):
        raise failure(404, "HTTP 404 Not Found")
    action = (await _body(ask, ("action",))).get("action")
    if action not in _CONTROLS:
        raise failure(400, "HTTP 400 Bad Request: action")
    reactions.control_service(ask.life, device, name, action)
    return Response(status_code=204)


async def apply_patches(ask: NinjaAsk) -> Response:
    reactions.apply_patches(ask.life, _with_agent(ask))
    return Response(status_code=204)


async def scan_patches(ask: NinjaAsk) -> Response:
    _with_agent(ask)
    return Response(status_code=204)


async def start_maintenance(ask: NinjaAsk) -> Response:
    """Needs an end. Its times may be epoch seconds, epoch milliseconds or ISO 8601."""
    device, now = ask.device(), ask.world.now()
    body = await _body(ask, ("disabledFeatures", "start", "end", "reasonMessage"))
    features = body.get("disabledFeatures") or []
    if not isinstance(features, list) or any(feature not in _FEATURES for feature in features):
        raise failure(400, "HTTP 400 Bad Request: disabledFeatures")
    start = _instant(body["start"], "start") if body.get("start") else now
    end = _instant(body.get("end"), "end")
    if end <= max(start, now):
        raise failure(400, "HTTP 400 Bad Request: end")
    reason = str(body.get("reasonMessage") or "")
    reactions.mute(ask.life, device, Maintenance(start, end, reason, tuple(features)))
    return Response(status_code=204)


def _instant(value: Any, name: str) -> datetime:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        seconds = value / 1000 if value > _MILLISECONDS else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise failure(400, f"HTTP 400 Bad Request: {name}") from None


async def end_maintenance(ask: NinjaAsk) -> Response:
    reactions.mute(ask.life, ask.device(), None)
    return Response(status_code=204)


async def reset_alert(ask: NinjaAsk) -> Response:
    uid = ask.request.path_params["uid"]
    if uid not in ask.world.alerts:
        raise failure(404, "HTTP 404 Not Found")
    reactions.reset_alert(ask.life, uid)
    return Response(status_code=204)


async def library(ask: NinjaAsk) -> Response:
    rows = [
        {
            "id": script.id,
            "name": script.name,
            "description": script.description,
            "active": True,
            "language": script.language,
            "architecture": ["64"],
            "operatingSystems": ["Windows"] if script.windows else ["Linux", "Mac"],
            "scriptParameters": [],
            "scriptVariables": [],
            "createdBy": "Ines Duarte",
        }
        for script in scripts.SCRIPTS
    ]
    return ninja_answer(rows)


async def options(ask: NinjaAsk) -> Response:
    device = ask.device()
    own = [
        {
            "type": "SCRIPT",
            "id": script.id,
            "name": script.name,
            "language": script.language,
            "description": script.description,
            "architecture": ["64"],
            "categoryId": 1,
        }
        for script in scripts.SCRIPTS
        if scripts.fits(script, device)
    ]
    built_in = [
        {"type": "ACTION", "uid": uid, "name": name, "language": "native", "categoryId": 2}
        for uid, name in (scripts.ACTIONS.items() if device.model.os else ())
    ]
    categories = [
        {"id": n, "name": name, "internal": n == 2} for n, name in ((1, "Service desk"), (2, "Built-in"))
    ]
    credentials = {"roles": list(_ROLES), "credentials": []}
    return ninja_answer({"categories": categories, "scripts": [*own, *built_in], "credentials": credentials})
