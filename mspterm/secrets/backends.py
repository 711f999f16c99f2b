"""The OS keyring's backends that are permitted, each constructed directly.

`keyring.get_keyring()` would take whatever PYTHON_KEYRING_BACKEND, keyringrc.cfg or an installed
package offers, plaintext files among them (security.md 2.1). Imported only inside a worker thread:
keyring takes 0.1 s to import and its backends talk to D-Bus.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

SERVICE = "mspterm"


class Backend(Protocol):
    """The part of `keyring.backend.KeyringBackend` that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class NoBackend(Exception):
    """None of the permitted backends works in this session."""


KEYRING_SWITCH = "MSPTERM_KEYRING"
"""Set to `off`, no OS keyring is looked for (the demo, and hosts where its D-Bus hangs)."""


def permitted(platform: str = sys.platform) -> Backend:
    """The first permitted backend that works here. Raises NoBackend; may hang with its D-Bus."""
    for make in _MAKERS.get(platform, (_secret_service, _kwallet)):
        try:
            return make()
        except Exception:
            # A probe fails in as many ways as there are D-Bus libraries; all mean: not this one.
            continue
    raise NoBackend


def name_of(backend: Backend) -> str:
    """The backend's name for `auth status`."""
    return _NAMES.get(type(backend).__module__.rpartition(".")[2], type(backend).__name__)


_NAMES = {
    # The module of a class tells it: `backends` is this one, whose own class is the promptless one.
    "backends": "Secret Service",
    "kwallet": "KWallet",
    "macOS": "macOS Keychain",
    "Windows": "Windows vault",
}


def _secret_service() -> Backend:
    import secretstorage
    from keyring.backends import SecretService
    from keyring.errors import KeyringLocked

    class PromptlessSecretService(SecretService.Keyring):
        """Says locked where keyring's own would raise a prompt, on a screen that nobody may see."""

        def get_preferred_collection(self) -> secretstorage.Collection:
            bus = secretstorage.dbus_init()
            try:
                collection = secretstorage.Collection(bus)
                locked = collection.is_locked()
            except secretstorage.ItemNotFoundException:
                # secretstorage would create the default collection here, which prompts.
                locked = True
            except BaseException:
                bus.close()
                raise
            # Closed wherever no collection is handed on: each call opens a bus of its own.
            if locked:
                bus.close()
                raise KeyringLocked
            return collection

        def unlock(self, item: secretstorage.Item) -> None:
            if item.is_locked():
                raise KeyringLocked

    return _working(PromptlessSecretService)


def _kwallet() -> Backend:
    from keyring.backends import kwallet

    return _working(kwallet.DBusKeyring)


def _mac() -> Backend:
    from keyring.backends import macOS

    return _working(macOS.Keyring)


def _windows() -> Backend:
    from keyring.backends import Windows

    return _working(Windows.WinVaultKeyring)


def _working(backend: Callable[[], Backend]) -> Backend:
    """An instance, once the class's `priority` has not raised: that is keyring's probe."""
    getattr(backend, "priority")  # noqa: B009 - read for its effect
    return backend()


_MAKERS: dict[str, tuple[Callable[[], Backend], ...]] = {"darwin": (_mac,), "win32": (_windows,)}
