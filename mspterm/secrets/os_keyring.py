"""The OS keyring behind a time limit, its failures as states with a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future

from mspterm.config.kinds import secret_variable
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, State
from mspterm.secrets.aside import start
from mspterm.secrets.backends import SERVICE, Backend, NoBackend, name_of, permitted

__all__ = ["Answer", "OsKeyring", "State"]

# A locked gnome-keyring takes up to 0.9 s to say so, an open one 0.02 s (security.md 2.1).
LIMIT_S = 3.0


class OsKeyring:
    """The permitted backend of this session. No call takes longer than `limit_s` seconds.

    While one call hangs the next ones time out at once: a hung D-Bus costs one wait, not one each.
    """

    name, title = "keyring", "the keyring"

    def __init__(self, make: Callable[[], Backend] = permitted, limit_s: float = LIMIT_S) -> None:
        self._make = make
        self._limit_s = limit_s
        self._backend: Backend | None = None
        self._hung: Future[Answer] | None = None

    def get(self, connection: str, field: str) -> Answer:
        """The secret, or why there is none."""

        def work(backend: Backend, user: str) -> Answer:
            value = backend.get_password(SERVICE, user)
            if value is None:
                return _absent(connection, field)
            return Answer(State.FOUND, f"{connection}: {field} is in {name_of(backend)}.", Secret(value))

        return self._call(connection, field, work)

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        """Stores the secret in place of an earlier one."""

        def work(backend: Backend, user: str) -> Answer:
            backend.set_password(SERVICE, user, secret.reveal())
            return Answer(State.STORED, f"{connection}: {field} is stored in {name_of(backend)}.")

        return self._call(connection, field, work)

    def delete(self, connection: str, field: str) -> Answer:
        """Removes the secret; ABSENT where there was none."""

        def work(backend: Backend, user: str) -> Answer:
            # Looked at first: PasswordDeleteError stands for a missing item and for a failure alike.
            if backend.get_password(SERVICE, user) is None:
                return _absent(connection, field)
            backend.delete_password(SERVICE, user)
            return Answer(State.DELETED, f"{connection}: {field} is deleted from {name_of(backend)}.")

        return self._call(connection, field, work)

    def _call(self, connection: str, field: str, work: Callable[[Backend, str], Answer]) -> Answer:
        if self._hung and not self._hung.done():
            return _trouble(State.TIMED_OUT, connection, field)

        def guarded() -> Answer:
            try:
                # Made in the thread as well: the probe alone talks to D-Bus, and may hang.
                if self._backend is None:
                    self._backend = self._make()
                return work(self._backend, f"{connection}:{field}")
            except Exception as error:
                return _trouble(_state_of(error), connection, field, type(error).__name__)

        call = start(guarded)
        try:
            return call.result(self._limit_s)
        except TimeoutError:
            self._hung = call
            return _trouble(State.TIMED_OUT, connection, field)


def _absent(connection: str, field: str) -> Answer:
    return Answer(State.ABSENT, f"{connection}: {field} is not in the keyring.")


def _state_of(error: Exception) -> State:
    """By the names of the classes, as the libraries that define them may not be installed here."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"}:
        return State.LOCKED
    # A session bus that has ended gives the last two.
    if isinstance(error, NoBackend | ConnectionError | FileNotFoundError) or names & {
        "NoKeyringError",
        "InitError",
        "SecretServiceNotAvailableException",
    }:
        return State.NO_BACKEND
    return State.FAILED


def _trouble(state: State, connection: str, field: str, kind: str = "") -> Answer:
    """A sentence without the error's own text, which a backend could put anything into."""
    otherwise = f"or set {secret_variable(connection, field)}"
    what = {
        State.LOCKED: f"the keyring is locked: unlock it ({_UNLOCK}), {otherwise}.",
        State.NO_BACKEND: f"{_MISSING}, {otherwise}.",
        State.TIMED_OUT: "the keyring did not answer in time: see whether its prompt or its D-Bus "
        f"service hangs, {otherwise}.",
        State.FAILED: f"the keyring failed ({kind}): try `mspterm auth doctor`, {otherwise}.",
    }[state]
    return Answer(state, f"{connection}: {what}")


# printf adds no newline, which would become part of the password; --replace because a daemon that
# D-Bus has started locked ignores a second one's --unlock.
_DAEMON = (
    "`read -rsp 'Keyring password: ' P; "
    'printf %s "$P" | gnome-keyring-daemon --replace --unlock --components=secrets`'
)
_UNLOCK, _MISSING = {
    "darwin": ("`security unlock-keychain`", "no Keychain in this session: log in at the Mac once"),
    "win32": ("log on again", "no Windows Credential Manager in this session: log on interactively"),
}.get(
    sys.platform,
    (
        _DAEMON,
        "no Secret Service on this session's D-Bus: `mspterm auth doctor` says what to start, "
        "`mspterm auth move --to age` keeps them in an encrypted file",
    ),
)
