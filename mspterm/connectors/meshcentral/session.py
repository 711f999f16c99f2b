"""The one websocket to control.ashx: login, questions and their answers, and what is pushed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from mspterm.config.model import Connection
from mspterm.connectors.meshcentral.listener import Listener
from mspterm.connectors.meshcentral.refused import closed_by_server
from mspterm.connectors.meshcentral.urls import control_url
from mspterm.connectors.meshcentral.wire import Event, Frame, UserInfo, UserInfoAnswer, decode
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.net.faults import MaybeSent
from mspterm.net.pacer import CallClass, Pacer
from mspterm.net.ws import Socket, open_socket

PING_S = 30.0
GUARD_S = 10.0
AUTH_GUARD_S = 120.0
"""MeshCentral bans an address after ten refused logins in ten minutes (maxInvalidLogin)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the answer to a question is known where it carries neither responseid nor tag:
    by its action, its type (of a `msg`) and the device it is about."""

    action: str
    type: str | None = None
    node: str | None = None

    def fits(self, frame: Frame) -> bool:
        return (
            frame.action == self.action
            and frame.type == self.type
            and (self.node is None or self.node in (frame.nodeid, frame.id))
        )


@dataclass(slots=True)
class _Waiting:
    answer: Answer | None
    future: asyncio.Future[bytes]


class Session:
    """Opens at the first use, and again at the first use after a loss. Requests run concurrently.

    After a failed opening, uses within a short time (full jitter, doubling, at most 10 s; a minute
    after a refused login) fail with the same reason without a try, so that many callers don't
    hammer a dead server. Nothing is repeated here: whoever asked decides.
    """

    def __init__(
        self,
        connection: Connection,
        password: Secret,
        *,
        pacer: Pacer,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        ping_s: float = PING_S,
    ) -> None:
        self._connection = connection
        self._name = connection.name
        self._password = password
        self._pacer, self._now, self._clock, self._rng = pacer, now, clock, rng
        self._ping_s = ping_s
        self._socket: Socket | None = None
        self._user: UserInfo | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._opening = asyncio.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._listeners: set[Listener] = set()
        self._failures = 0
        self._guard: tuple[float, Failure] | None = None

    async def user(self) -> UserInfo:
        """The account that the login belongs to, as the server named it when it let us in."""
        await self._ready()
        assert self._user is not None
        return self._user

    async def ask(
        self,
        question: Mapping[str, object],
        answer: Answer | None = None,
        *,
        kind: CallClass = "interactive",
        timeout_s: float | None = None,
    ) -> bytes:
        """Sends a question and returns the whole answering message. `answer` is for those that MeshCentral
        sends without the question's id; None takes nothing else than that id.

        Raises Failed when it could not be sent, and MaybeSent (a Failed) when it was sent and no
        answer came within `timeout_s` (the connection's, by default) or before the connection was
        lost. MeshCentral leaves unanswered whatever it doesn't allow or know.
        """
        socket = await self._ready(kind)
        # Answers to a command go to every session of the same user, so an id must be unique worldwide
        # (MeshCentral issue 6743).
        key = uuid.uuid4().hex
        waiting = _Waiting(answer, asyncio.get_running_loop().create_future())
        self._waiting[key] = waiting
        limit = self._connection.timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit):
                # Both, as the server echoes the one and agents the other (and some versions neither).
                await self._send(socket, {**question, "responseid": key, "tag": key})
                return await waiting.future
        except TimeoutError:
            raise self._unanswered(str(question.get("type", question["action"])), limit) from None
        except Failed as e:
            # A send can fail with its bytes already on the way.
            raise MaybeSent(e.failure) from e
        finally:
            del self._waiting[key]

    async def tell(self, message: Mapping[str, object], *, kind: CallClass = "action") -> None:
        """Sends what is never answered; prove it by asking."""
        await self._send(await self._ready(kind), message)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """What the server pushes from now on, until the context is left."""
        await self._ready("poll")
        listener = Listener(self._name)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def aclose(self) -> None:
        """Closes within about a second; a later use would open it again."""
        sentence = f"The connection to {self._name} was closed here."
        await self._drop(self._socket, failed(Reason.OFFLINE, sentence, self._name))

    async def _ready(self, kind: CallClass = "interactive") -> Socket:
        await self._pacer.turn(self._name, kind)
        async with self._opening:
            if self._socket is None:
                self._check_guard()
                try:
                    await self._open()
                except Failed as e:
                    raise self._set_guard(e.failure) from e
            assert self._socket is not None
            return self._socket

    def _check_guard(self) -> None:
        if self._guard is not None and self._clock() < self._guard[0]:
            raise Failed(self._guard[1])

    def _set_guard(self, failure: Failure) -> Failed:
        wait = self._pause(failure.reason is Reason.AUTH)
        self._failures += 1
        failure = replace(failure, retry_at=self._now() + timedelta(seconds=wait))
        self._guard = (self._clock() + wait, failure)
        return Failed(failure)

    def _pause(self, refused: bool) -> float:
        """Seconds until the next try. After a long outage the count of failures is no number for a power."""
        failures = min(self._failures, 10)
        if refused:
            # Nine tries in ten minutes at most: here the jitter comes on top.
            return min(AUTH_GUARD_S, 4.0**failures) * (1 + self._rng() / 4)
        return self._rng() * min(GUARD_S, 2.0**failures)

    async def _open(self) -> None:
        socket = await open_socket(self._connection, control_url(self._connection), headers=self._login())
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                self._user = await self._welcome(socket)
        except TimeoutError:
            await socket.close()
            sentence = f"{self._name} took the connection but never said who is logged in; try again later."
            raise failed(Reason.SERVER, sentence, self._name) from None
        # Also when cancelled: nobody else knows of this socket yet.
        except BaseException:
            await socket.close()
            raise
        self._socket, self._guard, self._failures = socket, None, 0
        self._tasks = [asyncio.create_task(self._read(socket)), asyncio.create_task(self._ping(socket))]

    def _login(self) -> dict[str, str]:
        parts = (self._connection.settings.get("username", ""), self._password.reveal())
        return {"x-meshauth": ",".join(b64encode(part.encode()).decode() for part in parts)}

    async def _welcome(self, socket: Socket) -> UserInfo:
        """The server accepts the websocket first and refuses the login by a message after."""
        while True:
            data = await socket.receive()
            frame = self._frame(data)
            if frame.action == "userinfo":
                return self._account(data)
            if (refusal := closed_by_server(frame, self._name)) is not None:
                raise refusal

    def _account(self, data: bytes) -> UserInfo:
        try:
            return decode(data, UserInfoAnswer).userinfo
        except msgspec.MsgspecError:
            sentence = f"{self._name} did not say who is logged in; check its url and that it is MeshCentral."
            raise failed(Reason.BAD_DATA, sentence, self._name) from None

    async def _read(self, socket: Socket) -> None:
        try:
            while True:
                self._dispatch(await socket.receive())
        except Failed as e:
            await self._drop(socket, e)

    async def _ping(self, socket: Socket) -> None:
        try:
            while True:
                await asyncio.sleep(self._ping_s)
                await self._send(socket, {"action": "ping"})
        except Failed as e:
            await self._drop(socket, e)

    async def _drop(self, socket: Socket | None, why: Failed) -> None:
        # Reader and pinger both notice a loss, and another connection may be open by then.
        if socket is None or socket is not self._socket:
            return
        # Before the first await, so that nothing more is asked by way of it.
        self._socket = None
        tasks, self._tasks = self._tasks, []
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(MaybeSent(why.failure))
        for listener in self._listeners:
            listener.tell(why)
        for task in tasks:
            # Whichever of the two noticed must live on to close the socket.
            if task is not asyncio.current_task():
                task.cancel()
        await socket.close()

    async def _send(self, socket: Socket, message: Mapping[str, object]) -> None:
        await socket.send(msgspec.json.encode(message).decode())

    def _frame(self, data: bytes) -> Frame:
        try:
            return decode(data, Frame)
        except msgspec.MsgspecError:
            # Old servers answer the ping with invalid JSON.
            _log.debug("%s: a message that is not an action", self._name)
            return Frame()

    def _dispatch(self, data: bytes) -> None:
        frame = self._frame(data)
        if frame.action == "event":
            self._push(frame)
        elif (ended := closed_by_server(frame, self._name)) is not None:
            raise ended
        elif (waiting := self._asked(frame)) is not None and not waiting.future.done():
            waiting.future.set_result(data)

    def _push(self, frame: Frame) -> None:
        try:
            event = decode(frame.event, Event)
        except msgspec.MsgspecError:
            return
        for listener in self._listeners:
            listener.tell(event)

    def _asked(self, frame: Frame) -> _Waiting | None:
        key = frame.responseid or frame.tag
        if isinstance(key, str):
            if frame.action == "msg" and frame.type is None and frame.result == "OK":
                return None  # passed on to the agent; its own answer follows
            return self._waiting.get(key)
        # Without an id of ours the oldest question that fits gets it: a dict keeps their order.
        fitting = (w for w in self._waiting.values() if w.answer is not None and w.answer.fits(frame))
        return next((w for w in fitting if not w.future.done()), None)

    def _unanswered(self, what: str, limit: float) -> MaybeSent:
        sentence = (
            f"{self._name} did not answer {what} within {limit:g} s; MeshCentral leaves unanswered what it "
            f"doesn't allow, and an agent what it can't do."
        )
        return MaybeSent(Failure(Reason.UNKNOWN, sentence, self._name))
