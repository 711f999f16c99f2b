"""A password manager's own program as a backend: `op read`, `pass show`, `vault kv get`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from mspterm.config.kinds import secret_variable
from mspterm.domain.secret import Secret, without_secrets
from mspterm.secrets.answer import Answer, State
from mspterm.secrets.choice import Commands

# `pass show` answers in 36 ms (security.md 2.1): what takes this long waits for a person.
LIMIT_S = 10.0
KEPT_S = 300.0
"""A value is asked for again after so long: 1Password limits requests by the hour and the day."""
HUNG_S = 30.0
"""After a program hung no other is tried for so long: a locked agent costs one wait, not one a field."""
_MOST = 65_536


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended; `status` None where it was stopped for taking too long."""

    status: int | None
    out: bytes = b""


class CommandStore:
    """Items read by `commands(connection, field)`; values are kept in this process's memory only."""

    name, title = "command", "a command of auth.toml"

    def __init__(
        self,
        commands: Callable[[str, str], Commands],
        env: Mapping[str, str],
        *,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._commands, self._limit_s, self._clock = commands, limit_s, clock
        self._env = without_secrets(env)
        self._kept: dict[tuple[str, str], tuple[float, Secret]] = {}
        self._asking = threading.Lock()
        self._hung_at: float | None = None

    def get(self, connection: str, field: str) -> Answer:
        # One at a time, so that the next one finds the answer kept, or that the program hangs.
        with self._asking:
            kept = self._kept.get((connection, field))
            if kept is not None and self._clock() - kept[0] < KEPT_S:
                return Answer(State.FOUND, f"{connection}: {field} is known.", kept[1])
            return self._ask(connection, field, at_terminal=False)

    def unlock(self, connection: str, field: str) -> Answer:
        """As `get`, with the terminal left to the program, so that its agent can ask."""
        with self._asking:
            return self._ask(connection, field, at_terminal=True)

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        argv = self._commands(connection, field).write
        if not argv:
            return self._read_only(connection, field, "write")
        # A line feed at the end, as `pass insert --multiline` keeps what it is given: `get` strips it.
        ran = self._run(argv, connection, field, given=secret.reveal().encode() + b"\n")
        if isinstance(ran, Answer) or ran.status != 0:
            return ran if isinstance(ran, Answer) else self._failed(argv, connection, field, ran)
        with self._asking:
            self._kept.pop((connection, field), None)
        return Answer(State.STORED, f"{connection}: {field} is stored by {_program(argv)}.")

    def delete(self, connection: str, field: str) -> Answer:
        argv = self._commands(connection, field).delete
        if not argv:
            return self._read_only(connection, field, "delete")
        with self._asking:
            self._kept.pop((connection, field), None)
        # Asked anew: a value kept in memory doesn't say that the item is still there.
        there = self.get(connection, field)
        if there.state is not State.FOUND:
            return there
        ran = self._run(argv, connection, field)
        with self._asking:
            self._kept.pop((connection, field), None)
        if isinstance(ran, Answer) or ran.status != 0:
            return ran if isinstance(ran, Answer) else self._failed(argv, connection, field, ran)
        return Answer(State.DELETED, f"{connection}: {field} is deleted by {_program(argv)}.")

    def _ask(self, connection: str, field: str, *, at_terminal: bool) -> Answer:
        commands = self._commands(connection, field)
        ran = self._run(commands.read, connection, field, at_terminal=at_terminal)
        if isinstance(ran, Answer):
            return ran
        if ran.status in commands.absent:
            return Answer(State.ABSENT, f"{connection}: {_program(commands.read)} has no {field}.")
        try:
            value = ran.out.decode().strip()
        except UnicodeDecodeError:
            value = ""
        if ran.status != 0 or not value:
            return self._failed(commands.read, connection, field, ran)
        secret = Secret(value)
        self._kept[connection, field] = (self._clock(), secret)
        return Answer(State.FOUND, f"{connection}: {field} is read by {_program(commands.read)}.", secret)

    def _run(
        self,
        argv: tuple[str, ...],
        connection: str,
        field: str,
        *,
        given: bytes | None = None,
        at_terminal: bool = False,
    ) -> Ran | Answer:
        # At a terminal somebody is about to unlock it: that is tried though it hung a moment ago.
        if self._hung_at is not None and not at_terminal and self._clock() - self._hung_at < HUNG_S:
            return Ran(None)
        # Filled in argument by argument, so that no name can become an argument of its own.
        named = [a.replace("{connection}", connection).replace("{field}", field) for a in argv]
        try:
            # Somebody who types a passphrase needs longer than a program.
            limit_s = self._limit_s * 12 if at_terminal else self._limit_s
            ran = run(named, self._env, given, limit_s=limit_s, at_terminal=at_terminal)
        except OSError as error:
            sentence = f"{connection}: {_program(argv)} can't be run ({error.strerror}): install it, or mend"
            return Answer(State.NO_BACKEND, f"{sentence} auth.toml, {_otherwise(connection, field)}.")
        self._hung_at = self._clock() if ran.status is None else None
        return ran

    def _read_only(self, connection: str, field: str, what: str) -> Answer:
        program = _program(self._commands(connection, field).read)
        sentence = f"{connection}: {field} is read by {program} and no {what} command is in auth.toml: "
        return Answer(State.READ_ONLY, f"{sentence}change it in {program} itself.")

    def _failed(self, argv: tuple[str, ...], connection: str, field: str, ran: Ran) -> Answer:
        program = _program(argv)
        if ran.status is None:
            sentence = f"{program} did not answer in {self._limit_s:g} s: does it wait for its passphrase?"
            state = State.TIMED_OUT
        elif ran.status == 0:
            sentence, state = f"{program} printed nothing for {field}.", State.FAILED
        else:
            sentence, state = f"{program} ended with status {ran.status}.", State.FAILED
        more = f"Try `mspterm auth unlock {connection}`, {_otherwise(connection, field)}."
        return Answer(state, f"{connection}: {sentence} {more}")


def run(
    argv: list[str], env: Mapping[str, str], given: bytes | None, *, limit_s: float, at_terminal: bool
) -> Ran:
    """Runs a program without a shell. Raises OSError where it can't be started.

    Its errors are dropped, as they could hold anything. In a session of its own it can't reach the
    terminal, on which the console draws; gpg would find it by GPG_TTY.
    """
    kept = {k: v for k, v in env.items() if at_terminal or k != "GPG_TTY"}
    with subprocess.Popen(
        argv,
        env=kept,
        stdin=subprocess.PIPE if given is not None else None if at_terminal else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if at_terminal else subprocess.DEVNULL,
        start_new_session=not at_terminal,
    ) as process:
        try:
            out, _ = process.communicate(given, limit_s)
        except subprocess.TimeoutExpired:
            _stop(process, whole_session=not at_terminal)
            return Ran(None)
    return Ran(process.returncode, out[:_MOST])


def _stop(process: subprocess.Popen[bytes], *, whole_session: bool) -> None:
    if sys.platform != "win32" and whole_session:
        # Its children too, such as a pinentry that would go on waiting with nobody behind it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _program(argv: tuple[str, ...]) -> str:
    return PurePath(argv[0]).name


def _otherwise(connection: str, field: str) -> str:
    return f"or set {secret_variable(connection, field)}"
