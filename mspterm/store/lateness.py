"""Which of two answers was asked for later, though the clock that dated them may have been set since."""

from __future__ import annotations

LATEST_S = 300.0
"""No answer comes in later than this after it was asked for: not with tries and timeouts as they are."""


def later(known: float, observed: float) -> bool:
    """Whether what is `known` is later than what was just `observed`, both in seconds since the epoch.

    What is further ahead than any answer can be late was dated by a clock that was ahead then: it
    must not keep everything new out until that time has come.
    """
    return observed < known <= observed + LATEST_S
