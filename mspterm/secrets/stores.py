"""The backends of this process, as auth.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mspterm.config.paths import place
from mspterm.domain.reasons import Failed
from mspterm.secrets.age_file import AgeStore
from mspterm.secrets.answer import SecretStore, Unusable
from mspterm.secrets.backends import KEYRING_SWITCH, Backend, NoBackend
from mspterm.secrets.choice import Choice, Commands, choice_file, read_choice, remember
from mspterm.secrets.command import CommandStore
from mspterm.secrets.os_keyring import OsKeyring


class Stores:
    """Opens each backend once. `given` stands in for all of them."""

    def __init__(self, env: Mapping[str, str], given: SecretStore | None = None) -> None:
        self._env, self._given = env, given
        self._open: dict[str, SecretStore] = {}
        self.file = choice_file(env)
        self._choice: Choice | Failed | None = Choice(self.file) if given else None

    @property
    def choice(self) -> Choice:
        """Raises Failed where auth.toml is wrong."""
        if self._choice is None:
            try:
                self._choice = read_choice(self.file)
            except Failed as error:
                self._choice = error
        if isinstance(self._choice, Failed):
            # A new one for each caller: one that is raised again gathers the tracebacks of all.
            raise Failed(self._choice.failure)
        return self._choice

    def of(self, connection: str, field: str) -> SecretStore:
        """Where this field is kept: by its own command, else in the chosen backend."""
        try:
            choice = self.choice
        except Failed as error:
            # Another backend in its place could hold an older value, or take a new one.
            return Unusable("none", error.failure.sentence)
        return self.named("command" if (connection, field) in choice.items else choice.backend)

    @property
    def chosen(self) -> SecretStore:
        """The backend of every field that has no command of its own. Raises Failed."""
        return self.named(self.choice.backend)

    def named(self, name: str) -> SecretStore:
        """A backend by its word in auth.toml."""
        if self._given is not None:
            return self._given
        if name not in self._open:
            self._open[name] = self._make(name)
        return self._open[name]

    def choose(self, name: str, recovery: tuple[str, ...] | None = None) -> None:
        """Remembers the backend in auth.toml, and uses it from now on. Raises Failed."""
        remember(self.file, name, recovery)
        self._choice = None

    @property
    def age(self) -> AgeStore:
        """The age file, whether or not it is the chosen backend."""
        found = self.named("age")
        assert isinstance(found, AgeStore)
        return found

    @property
    def command(self) -> CommandStore:
        found = self.named("command")
        assert isinstance(found, CommandStore)
        return found

    @property
    def age_folder(self) -> Path:
        return place("data", self._env) / "age"

    def _make(self, name: str) -> SecretStore:
        if name == "age":
            choice = self.choice
            return AgeStore(self.age_folder, recovery=choice.recovery, unlock_h=choice.unlock_h)
        if name == "command":
            return CommandStore(self._commands, self._env)
        off = self._env.get(KEYRING_SWITCH) == "off"
        return OsKeyring(make=_none) if off else OsKeyring()

    def _commands(self, connection: str, field: str) -> Commands:
        return self.choice.items.get((connection, field)) or self.choice.command or _NO_COMMANDS


_NO_COMMANDS = Commands(("false",))
"""For a backend `command` without [command]: `read_choice` refuses that, so nobody is asked."""


def _none() -> Backend:
    raise NoBackend
