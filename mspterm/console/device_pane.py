"""One device: its state follows the store, its telemetry runs while it is on screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from mspterm.console.device_lines import KnownDevice, asset_lines, device_lines
from mspterm.console.line_view import LineView, TextLine, line
from mspterm.console.ticket_header import ago
from mspterm.desk.desk import Desk, split_ref
from mspterm.desk.flags import flagged
from mspterm.desk.look import device_now
from mspterm.domain.device import Device, DeviceDetail, Sample
from mspterm.domain.reasons import Failed, Failure
from mspterm.domain.row import TicketRow

FOLLOW_S = 1.0
REPAINT_S = 15.0
AGAIN_S = 10.0
"""How long after live readings failed they are tried again."""


class History:
    """The live readings of this console's devices, as long as it runs."""

    LENGTH = 200

    def __init__(self) -> None:
        # Kept beyond the pane, so that a device that is opened again has its last minutes at once.
        self._samples: dict[str, deque[Sample]] = {}

    def of(self, ref: str) -> Sequence[Sample]:
        return tuple(self._samples.get(ref, ()))

    def add(self, ref: str, sample: Sample) -> None:
        self._samples.setdefault(ref, deque(maxlen=self.LENGTH)).append(sample)


class DevicePane(Widget):
    """Shows the RMM device or the PSA's asset `ref`."""

    DEFAULT_CSS = "DevicePane { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+r", "ask", "Ask again", show=False, id="ask"),
        *(
            Binding(str(n), f"ticket({n})", f"Open [{n}]", show=False, id=f"device.open_{n}")
            for n in range(1, 10)
        ),
    ]

    class TicketWanted(Message):
        """The person wants to see this ticket."""

        def __init__(self, ref: str) -> None:
            self.ref = ref
            super().__init__()

    def __init__(
        self,
        desk: Desk,
        ref: str | None = None,
        *,
        history: History | None = None,
        plain: bool = False,
        id: str | None = None,
    ) -> None:
        """`plain`: draw with ASCII only."""
        super().__init__(id=id)
        self._desk = desk
        self.ref = ref
        self._history = history or History()
        self._plain = plain
        self._generation = 0
        self._detail: DeviceDetail | None = None
        self._failure: Failure | None = None
        self._live_failure: str | None = None
        self._live: Worker[None] | None = None
        self._try_live_at = 0.0
        self._awake = True
        self._seen: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        yield LineView(id="device-text")

    def on_mount(self) -> None:
        self.set_interval(FOLLOW_S, self.follow)
        # Ages change without the store, in steps of 15 s at least (`domain.ages`).
        self.set_interval(REPAINT_S, self._paint)
        self.show(self.ref)

    @property
    def _text(self) -> LineView:
        return self.query_one(LineView)

    def focus_text(self) -> None:
        self.screen.set_focus(self._text)

    def show(self, ref: str | None) -> None:
        """Paint what the store knows of `ref` now, ask its RMM, and read it live."""
        self.ref = ref
        # Before anything is stopped or asked: an answer about the last device finds itself outdated.
        self._generation += 1
        self._detail, self._failure, self._live_failure, self._seen = None, None, None, None
        self._stop()
        self._try_live_at = 0.0
        self.follow(to_top=True)
        self.action_ask()

    def pause(self) -> None:
        """Off screen: nothing is read live."""
        self._awake = False
        self._stop()

    def resume(self) -> None:
        self._awake = True
        self.follow()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.cancel()
            self._live = None

    @property
    def _device(self) -> Device | None:
        return self._desk.store.devices.get(self.ref) if self.ref else None

    def follow(self, *, to_top: bool = False) -> None:
        """Look whether the store knows something newer, and whether live readings should run."""
        self._keep_live()
        width = self._text.size.width
        seen = (self._desk.store.database.revision, width)
        if width and seen != self._seen:
            self._seen = seen
            self._paint(to_top=to_top)

    def on_line_view_resized(self, event: LineView.Resized) -> None:
        event.stop()
        self.follow()

    # The server

    def action_ask(self) -> None:
        """Ask the device's RMM now."""
        if self.ref is not None and self._device is not None:
            self.run_worker(self._ask(self.ref, self._generation), group="device", exclusive=True)

    async def _ask(self, ref: str, generation: int) -> None:
        detail, failure = None, None
        try:
            detail = await device_now(self._desk, ref)
        except Failed as error:
            failure = error.failure
        # The person may have gone on to another device while the RMM took its time.
        if generation == self._generation:
            # What was known stays on screen beside the reason that it is not newer.
            self._detail, self._failure = detail or self._detail, failure
            self._paint()

    def _keep_live(self) -> None:
        device = self._device
        running = self._live is not None and not self._live.is_finished
        # A push may say that it went offline long before its readings fail.
        if device is None or not device.online:
            self._stop()
        elif self._awake and not running and time.monotonic() >= self._try_live_at:
            self._live = self.run_worker(
                self._read_live(device, self._generation), group="live", exclusive=True
            )

    async def _read_live(self, device: Device, generation: int) -> None:
        """Runs until the device goes, the pane is left, or the RMM gives no more."""
        # Set before the first await: a reading that ends at once is not begun anew each second.
        self._try_live_at = time.monotonic() + AGAIN_S
        able = self._desk.manifest(device.connection).able("telemetry")
        if not able.possible:
            self._live_failure = able.reason
            return
        try:
            connector = await self._desk.connector(device.connection)
            async for sample in connector.live(split_ref(device.ref)[1]):
                if generation != self._generation:
                    return
                self._live_failure = None
                self._history.add(device.ref, sample)
                self._paint()
        except Failed as error:
            self._live_failure = error.failure.sentence
            self._paint()

    # Painting

    def _paint(self, *, to_top: bool = False) -> None:
        width = self._text.size.width
        if width:
            self._text.set_lines(self._lines(width), pinned=1, to_top=to_top)

    def _lines(self, width: int) -> list[TextLine]:
        device, now = self._device, self._desk.now()
        if device is None:
            return self._asset_lines(width)
        lines = device_lines(
            self._known(flagged(self._desk, device)), now=now, width=width, plain=self._plain
        )
        if self._failure is not None:
            when = ago(device.observed_at, now)
            lines.insert(1, line(f"! as of {when}: {self._failure.sentence}", "failed"))
        return lines

    def _known(self, device: Device) -> KnownDevice:
        assets = self._desk.store.devices.assets_of(device.ref)
        live = self._live_failure if device.online else "it is not online"
        return KnownDevice(
            device=device,
            rmm=self._desk.manifest(device.connection).title,
            client=device.client or next((a.client for a in assets if a.client), None),
            detail=self._detail,
            samples=self._history.of(device.ref),
            live=live,
            tickets=self._tickets(),
            unavailable=self._detail.unavailable if self._detail else {},
        )

    def _asset_lines(self, width: int) -> list[TextLine]:
        asset = self._desk.store.devices.asset(self.ref) if self.ref else None
        if asset is None:
            return [
                line(f"Nothing is known of {self.ref} here." if self.ref else "No device is chosen.", "muted")
            ]
        return asset_lines(asset, self._tickets(), width=width)

    def _tickets(self) -> list[TicketRow]:
        store = self._desk.store
        refs = store.devices.tickets_of(self.ref) if self.ref else []
        return [row for ref in refs if (row := store.tickets.row(ref))]

    def action_ticket(self, number: int) -> None:
        tickets = self._tickets()
        if number <= len(tickets):
            self.post_message(self.TicketWanted(tickets[number - 1].ref))
