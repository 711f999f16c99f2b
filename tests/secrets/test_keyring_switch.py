"""The switch that keeps the demo out of the user's keyring."""

from __future__ import annotations

from mspterm.secrets.answer import State
from mspterm.secrets.chain import Credentials, Missing


def test_switched_off_no_keyring_is_looked_for() -> None:
    found = Credentials({"MSPTERM_KEYRING": "off", "HOME": "/nonexistent"}).get("rt", "token")
    assert isinstance(found, Missing)
    assert found.state is State.NO_BACKEND
