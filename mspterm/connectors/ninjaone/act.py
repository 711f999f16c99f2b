"""Actions on devices: a script, a reboot, maintenance, the reset of an alert. Each proven, or uncertain."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from mspterm.connectors.ninjaone import mapping, script, wire
from mspterm.connectors.ninjaone.client import NinjaClient
from mspterm.connectors.ninjaone.detail import Detail
from mspterm.connectors.ninjaone.manifest import ONLY_SCRIPTS
from mspterm.domain.action import Outcome, Reboot, RunCommand, State
from mspterm.domain.device import Maintenance
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean
from mspterm.net.faults import MaybeSent

POLL_S = 5.0
REBOOT_WAIT_S = 120.0
OUTPUT_CHARS = 200_000
CLOCK_SLACK = timedelta(seconds=10)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_UNSUPPORTED = "{name} says that {device} can't run {script}; nothing ran."
_BROKE = "{script} ran on {device} and ended with a failure; its output says why."
_CANCELLED = "{script} was cancelled on {device} before it ended; look there for what it has done."


class Actions:
    """The writes of one connection, all under a person's login."""

    def __init__(
        self,
        client: NinjaClient,
        detail: Detail,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        reboot_wait_s: float,
    ) -> None:
        self._client, self._detail, self._name = client, detail, client.name
        self._now, self._sleep, self._reboot_wait_s = now, sleep, reboot_wait_s

    async def scripts(self, id: str) -> wire.ScriptOptions:
        """What the device can be told to run, and as whom."""
        row = await self._detail.row(id)
        return await self._client.get("/v2/device/{id}/scripting/options", wire.ScriptOptions, id=row.id)

    async def run(self, write: RunCommand, id: str) -> Outcome:
        """Runs a script of the library; `timeout_s` is how long its result is waited for."""
        try:
            # First: without a person's login nothing else is asked.
            await self._client.tokens.acting()
            row = await self._detail.row(id, kind="action")
            device = mapping.line(row.display_name or row.system_name) or f"device {row.id}"
            options = await self.scripts(id)
            wanted = self._wanted(write, options, device)
            role = self._role(write, options, device)
            # Where the device's log ends now; what the run makes comes after it. 10 is the least to be had.
            _, before = await self._client.activities(None, size=10, kind="action", device=row.id)
            began = self._client.http.server_now() - CLOCK_SLACK
        except Failed as error:
            return Outcome(write.ref, _state(error), error.failure)
        # With a script named, the command is its arguments; else it was the name.
        parameters = write.command if write.script else ""
        try:
            path = "/v2/device/{id}/script/run"
            answer = await self._client.send("POST", path, script.body(wanted, parameters, role), id=row.id)
            begun = script.started(answer.body)
        except MaybeSent:
            # It may well run: it is looked for by name and time, and not sent again.
            begun = script.Started()
        except Failed as error:
            return Outcome(write.ref, _state(error), error.failure)
        ended = await self._result(
            row.id, before, write.timeout_s, lambda rows: script.outcome(rows, begun, wanted, began)
        )
        return self._ran(write, wanted, device, ended)

    async def reboot(self, write: Reboot, id: str) -> Outcome:
        """A normal restart of a device that is online, waited for until it is seen."""
        try:
            await self._client.tokens.acting()
            row = await self._detail.row(id, kind="action")
            device = mapping.line(row.display_name or row.system_name) or f"device {row.id}"
            if row.offline:
                sentence = f"{device} is offline at {self._name}; nothing was sent."
                return Outcome(write.ref, State.FAILED, Failure(Reason.OFFLINE, sentence, self._name))
            _, before = await self._client.activities(None, size=10, kind="action", device=row.id)
        except Failed as error:
            return Outcome(write.ref, _state(error), error.failure)
        try:
            reason = {"reason": "Restarted by the on-call engineer (mspterm)"}
            await self._client.send("POST", "/v2/device/{id}/reboot/NORMAL", reason, id=row.id)
        except MaybeSent:
            pass  # what is seen of the device decides
        except Failed as error:
            return Outcome(write.ref, _state(error), error.failure)
        seen = await self._seen(id, row, before)
        if seen is not None:
            return Outcome(write.ref, State.DONE, detail=(seen,))
        sentence = (
            f"A restart was sent to {device} and it was not seen going down in {self._reboot_wait_s:g} s; look at "
            f"the device before you send another."
        )
        return Outcome(write.ref, State.UNCERTAIN, Failure(Reason.UNKNOWN, sentence, self._name))

    async def set_maintenance(self, id: str, until: datetime, reason: str) -> Maintenance:
        """Mutes a device's alerts until then. Raises Failed where it isn't so when read again."""
        await self._client.tokens.acting()
        row = await self._detail.row(id, kind="action")
        # The facts say seconds, the description milliseconds: what is read back decides.
        body = {"disabledFeatures": ["ALERTS"], "end": until.timestamp(), "reasonMessage": reason}
        await self._client.send("PUT", "/v2/device/{id}/maintenance", body, id=row.id)
        found = (await self._detail.row(id, kind="action")).maintenance
        end = mapping.instant(found.end) if found else None
        if found is None or end is None or abs((end - until).total_seconds()) > 60:
            sentence = (
                f"{self._name} accepted a maintenance until {until:%Y-%m-%d %H:%M} UTC and shows another."
            )
            raise failed(Reason.UNKNOWN, sentence, self._name)
        return Maintenance(end, mapping.line(found.reason_message))

    async def end_maintenance(self, id: str) -> None:
        """Raises Failed where the device is still in maintenance afterwards."""
        await self._client.tokens.acting()
        row = await self._detail.row(id, kind="action")
        await self._client.send("DELETE", "/v2/device/{id}/maintenance", id=row.id)
        if mapping.maintenance((await self._detail.row(id, kind="action")).maintenance) is not None:
            raise failed(
                Reason.UNKNOWN,
                f"{self._name} accepted the end of a maintenance that is still on.",
                self._name,
            )

    async def reset_alert(self, uid: str) -> None:
        """Resets an alert; it comes again where its condition still holds. Raises Failed where it stays."""
        await self._client.tokens.acting()
        await self._client.send("POST", "/v2/alert/{uid}/reset", {}, uid=uid)
        rows = await self._client.rows("/v2/alerts", wire.Alert, kind="action")
        if any(row.uid == uid for row in rows):
            sentence = (
                f"The alert is still on at {self._name}: its condition holds, or the reset was not taken."
            )
            raise failed(Reason.UNKNOWN, sentence, self._name)

    def _wanted(self, write: RunCommand, options: wire.ScriptOptions, device: str) -> wire.Script:
        asked = write.script or write.command
        found = script.chosen(options.scripts, asked)
        if found is None:
            names = [s.name for s in options.scripts]
            near = difflib.get_close_matches(asked, names, 3, 0.3) or names[:5]
            known = f"; it has: {', '.join(near)}" if near else ""
            sentence = f"{ONLY_SCRIPTS}, and {device} has no script {clean(asked, limit=60)}{known}."
            raise failed(Reason.REFUSED, clean(sentence, limit=400), self._name)
        return found

    def _role(self, write: RunCommand, options: wire.ScriptOptions, device: str) -> str:
        found = script.role(options, write.run_as)
        if found is None:
            raise failed(Reason.REFUSED, f"{device} offers no way to run as its user.", self._name)
        return found

    async def _result(
        self,
        device: int,
        before: int,
        patience_s: float,
        found: Callable[[list[wire.Activity]], wire.Activity | None],
    ) -> wire.Activity | None:
        """The activity that is waited for, looked for every few seconds; None when patience ends."""
        waited = 0.0
        while True:
            with suppress(Failed):  # a look that fails is followed by the next
                rows, _ = await self._client.activities(before, size=200, kind="action", device=device)
                if (ended := found(rows)) is not None:
                    return ended
            # After the look, so that what ended during the last wait is seen.
            if waited >= patience_s:
                return None
            await self._sleep(POLL_S)
            waited += POLL_S

    def _ran(
        self, write: RunCommand, wanted: wire.Script, device: str, ended: wire.Activity | None
    ) -> Outcome:
        name = clean(wanted.name or str(wanted.id))
        if ended is None:
            sentence = (
                f"{name} was sent to {device} and has no result after {write.timeout_s:g} s: it may still run; look at "
                f"its activities before you send it again."
            )
            return Outcome(write.ref, State.UNCERTAIN, Failure(Reason.UNKNOWN, sentence, self._name))
        output = clean(script.output_of(ended), multiline=True, limit=OUTPUT_CHARS)
        detail = (f"{name}: {clean(ended.activity_result or ended.status_code or '?')}",)
        if ended.activity_result == "SUCCESS" or (
            ended.activity_result is None and ended.status_code == "COMPLETED"
        ):
            return Outcome(write.ref, State.DONE, None, detail, output)
        words = {"UNSUPPORTED": _UNSUPPORTED, "FAILURE": _BROKE}.get(ended.activity_result or "", _CANCELLED)
        sentence = words.format(name=self._name, device=device, script=name)
        state = State.FAILED if ended.activity_result in ("UNSUPPORTED", "FAILURE") else State.UNCERTAIN
        return Outcome(write.ref, state, Failure(Reason.REFUSED, sentence, self._name), detail, output)

    async def _seen(self, id: str, before: wire.Device, last: int) -> str | None:
        """How the restart was seen: the device went down, or has booted again; None in good time."""
        waited = 0.0
        while True:
            with suppress(Failed):
                rows, _ = await self._client.activities(last, size=200, kind="action", device=before.id)
                row = await self._detail.row(id, kind="action")
                # A quick restart is never seen offline: its activity or a later boot tells of it.
                if any(a.status_code == "SYSTEM_REBOOTED" for a in rows) or _booted(row) > _booted(before):
                    return "restarted, and is back"
                if row.offline:
                    return f"went down at {self._now():%H:%M:%S} UTC"
            if waited >= self._reboot_wait_s:
                return None
            await self._sleep(POLL_S)
            waited += POLL_S


def _booted(row: wire.Device) -> datetime:
    return (mapping.instant(row.os.last_boot_time) if row.os else None) or _NEVER


def _state(error: Failed) -> State:
    """Refused before anything was sent, or failed."""
    refused = (Reason.PERMISSION, Reason.REFUSED)
    return State.REFUSED if error.failure.reason in refused else State.FAILED
