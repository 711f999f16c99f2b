"""What was asked of a vendor against what it shows afterwards: only that counts as done. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mspterm.domain.text import clean

Sent = TypeVar("Sent")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Change(Generic[Sent, Row]):
    """One thing to change: what the vendor is sent for it, and how it is seen in the row afterwards."""

    what: str
    sent: Sent
    wanted: str
    found: Callable[[Row], str]

    def check(self, row: Row) -> Check:
        found = self.found(row)
        # Names may be typed in another case than the vendor keeps them in.
        return Check(self.what, self.wanted, found, found.casefold() == self.wanted.casefold())


@dataclass(frozen=True, slots=True)
class Check:
    """One requested thing against what was read back."""

    what: str
    wanted: str
    found: str
    ok: bool

    def line(self) -> str:
        """The line that proves it, or says what wasn't applied."""
        if self.ok:
            return f"{self.what}: {clean(self.found)}"
        found = clean(self.found) or "nothing"
        return f"not applied: {self.what} is {found}, asked for was {clean(self.wanted)}"
