"""A value that must not be seen: its repr, str and format are masked."""

from __future__ import annotations

from collections.abc import Mapping

IN_THE_ENVIRONMENT = "MSPTERM_SECRET_"
"""How the names of the variables begin that may hold secrets."""


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program that we start may see of our environment."""
    return {name: value for name, value in environ.items() if not name.startswith(IN_THE_ENVIRONMENT)}


class Secret:
    """Holds one secret value; only `reveal()` gives it away, so every use can be found by name."""

    # Without a __dict__ there is nothing for vars(), or for what prints objects by it.
    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    # pickle and copy both come through here.
    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialised")
