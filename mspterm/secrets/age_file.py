"""An encrypted file for hosts without a keyring: secrets.age, and identity.age under a passphrase."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from mspterm.config.kinds import secret_variable
from mspterm.config.locked import locked
from mspterm.config.paths import private_dir
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets import age_format
from mspterm.secrets.answer import Answer, State
from mspterm.secrets.kernel_keyring import KernelKeyring
from mspterm.secrets.private import read_private, write_private

Held = dict[str, dict[str, str]]


class AgeStore:
    """Unlocked once by its passphrase; the identity is then in the kernel keyring for `unlock_h` hours.

    `recovery` are further recipients, who can open the file without our passphrase.
    """

    name, title = "age", "the age file"

    def __init__(
        self,
        folder: Path,
        *,
        recovery: tuple[str, ...] = (),
        unlock_h: float = 8.0,
        cache: KernelKeyring | None = None,
    ) -> None:
        self._folder, self._recovery, self._unlock_h = folder, recovery, unlock_h
        self._cache = cache or KernelKeyring()
        self._identity: Secret | None = None
        self._opened = ""
        """The key under which the identity here was kept: that of identity.age as it was then."""
        self.identity_file, self.secrets_file = folder / "identity.age", folder / "secrets.age"

    def get(self, connection: str, field: str) -> Answer:
        def work(identity: Secret) -> Answer:
            value = self._read(identity).get(connection, {}).get(field)
            if value is None:
                return _absent(connection, field)
            return Answer(State.FOUND, f"{connection}: {field} is in the age file.", Secret(value))

        return self._call(connection, field, work)

    def set(self, connection: str, field: str, secret: Secret) -> Answer:
        def work(identity: Secret) -> Answer:
            held = self._read(identity)
            held.setdefault(connection, {})[field] = secret.reveal()
            self._write(identity, held)
            return Answer(State.STORED, f"{connection}: {field} is stored in the age file.")

        return self._call(connection, field, work, alone=True)

    def delete(self, connection: str, field: str) -> Answer:
        def work(identity: Secret) -> Answer:
            held = self._read(identity)
            if held.get(connection, {}).pop(field, None) is None:
                return _absent(connection, field)
            self._write(identity, {name: fields for name, fields in held.items() if fields})
            return Answer(State.DELETED, f"{connection}: {field} is deleted from the age file.")

        return self._call(connection, field, work, alone=True)

    @property
    def state(self) -> State:
        """ABSENT where it was never made, LOCKED, or FOUND where it is open."""
        try:
            return State.FOUND if self._open() else State.LOCKED
        except Failed as error:
            return State.ABSENT if error.failure.reason is Reason.NOT_FOUND else State.FAILED

    def create(self, passphrase: Secret) -> str:
        """Makes the identity and an empty file, and unlocks it; a sentence. Raises Failed."""
        private_dir(self._folder)
        with locked(self._folder / "lock"):
            # Asked under the lock: of two that create at once the later must not replace the identity.
            if read_private(self.identity_file) is not None:
                raise failed(Reason.CONFLICT, f"{self.identity_file} is there already: unlock it.")
            identity = _needs_pyrage(age_format.new_identity)
            # The identity last: its file stands for the store, so a crash before leaves none half made.
            self._write(identity, {})
            write_private(self.identity_file, age_format.wrap(identity, passphrase))
        return f"{self.secrets_file} is made. {self._keep(identity)}"

    def unlock(self, passphrase: Secret) -> str:
        """Opens it for this session; a sentence. Raises Failed, for a wrong passphrase too."""
        wrapped = self._wrapped()
        return self._keep(_needs_pyrage(lambda: age_format.unwrap(wrapped, passphrase)))

    def lock(self) -> bool:
        """Forgets the identity here and in the kernel keyring; whether it was there."""
        self._identity = None
        return self._cache.drop(self._key())

    def rekey(self, passphrase: Secret) -> str:
        """A new identity under a new passphrase; a sentence. Raises Failed, also where it is locked."""
        with locked(self._folder / "lock"):
            old = self._needed()
            held, new = self._read(old), age_format.new_identity()
            wrapped = age_format.wrap(new, passphrase)
            # Before the files change: the key of the cache is made from the identity file as it is.
            self.lock()
            # In three steps, so that whenever the power fails one of the identities opens the file.
            self._write(new, held, age_format.public_of(old))
            write_private(self.identity_file, wrapped)
            self._write(new, held)
        return f"{self.secrets_file} has a new identity. {self._keep(new)}"

    def reseal(self, recovery: tuple[str, ...]) -> None:
        """Encrypts anew for other recovery recipients. Raises Failed, also where it is locked."""
        # Before they are taken over: with a wrong one among them every later write would fail.
        for recipient in recovery:
            age_format.check_recipient(recipient)
        self._recovery = recovery
        with locked(self._folder / "lock"):
            identity = self._needed()
            self._write(identity, self._read(identity))

    def _call(
        self, connection: str, field: str, work: Callable[[Secret], Answer], *, alone: bool = False
    ) -> Answer:
        def tried() -> Answer:
            identity = self._open()
            if identity is None:
                return _locked(connection, field)
            # A reader needs no lock, as files are replaced whole; a writer reads all and writes all back.
            with locked(self._folder / "lock") if alone else nullcontext():
                return work(identity)

        try:
            try:
                return tried()
            except Failed:
                # In any case, as another thread may have opened the new identity just now.
                self._forget_old()
                return tried()
        except age_format.NoPyrage:
            return Answer(State.NO_BACKEND, f"{connection}: {age_format.INSTALL}.")
        except Failed as error:
            state = State.NO_BACKEND if error.failure.reason is Reason.NOT_FOUND else State.FAILED
            return Answer(state, f"{connection}: {error.failure.sentence}")
        except OSError as error:
            return Answer(State.FAILED, f"{connection}: the age file can't be used ({error.strerror}).")

    def _open(self) -> Secret | None:
        """The identity where it is unlocked. Raises Failed where the file was never made."""
        if self._identity is None:
            self._opened = self._key()
            self._identity = self._cache.fetch(self._opened)
        return self._identity

    def _forget_old(self) -> None:
        """Drops the identity here where another process has made a new one since."""
        if self._identity is not None and self._key() != self._opened:
            self._identity = None

    def _needed(self) -> Secret:
        """The identity of now. Raises Failed where it is locked."""
        self._forget_old()
        identity = self._open()
        if identity is None:
            raise failed(Reason.AUTH, "The age file is locked: `mspterm auth unlock` first.")
        return identity

    def _keep(self, identity: Secret) -> str:
        # Here first: on a host whose kernel keyring keeps nothing this process can still go on.
        self._identity, self._opened = identity, self._key()
        hours = f"{self._unlock_h:g} h"
        why = self._cache.keep(self._opened, identity, int(self._unlock_h * 3600))
        if why is None:
            return f"It is open for {hours}, or until `mspterm auth lock`."
        return f"It is open for this process only: {why}. Every mspterm will ask for the passphrase."

    def _key(self) -> str:
        """The name in the kernel keyring; another passphrase or another home makes another."""
        return f"mspterm:identity:{hashlib.sha256(self._wrapped()).hexdigest()[:16]}"

    def _wrapped(self) -> bytes:
        content = read_private(self.identity_file)
        if content is None:
            sentence = "There is no age file yet: `mspterm auth move --to age` makes it."
            raise failed(Reason.NOT_FOUND, sentence)
        return content

    def _read(self, identity: Secret) -> Held:
        content = read_private(self.secrets_file)
        if content is None:
            return {}
        try:
            held = json.loads(age_format.unseal(content, identity))
        except ValueError:
            held = None
        if not isinstance(held, dict):
            raise failed(Reason.BAD_DATA, f"{self.secrets_file} holds no JSON of CONNECTION and FIELD.")
        return held

    def _write(self, identity: Secret, held: Held, *more: str) -> None:
        recipients = (age_format.public_of(identity), *self._recovery, *more)
        content = json.dumps(held, indent=1, sort_keys=True).encode()
        write_private(self.secrets_file, age_format.seal(content, recipients))


def _needs_pyrage(work: Callable[[], Secret]) -> Secret:
    try:
        return work()
    except age_format.NoPyrage:
        raise failed(Reason.REFUSED, f"{age_format.INSTALL[0].upper()}{age_format.INSTALL[1:]}.") from None


def _absent(connection: str, field: str) -> Answer:
    return Answer(State.ABSENT, f"{connection}: {field} is not in the age file.")


def _locked(connection: str, field: str) -> Answer:
    sentence = "the age file is locked: `mspterm auth unlock` opens it"
    return Answer(State.LOCKED, f"{connection}: {sentence}, or set {secret_variable(connection, field)}.")
