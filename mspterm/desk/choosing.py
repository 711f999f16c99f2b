"""A word that was typed, as the vendor spells it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mspterm.domain.reasons import Reason, failed


def one_of(wanted: str, known: Iterable[str], what: str, connection: str) -> str:
    """The vendor's own spelling. Raises Failed naming what there is; passes where nothing is known."""
    options = list(known)
    if not options:
        return wanted
    folded = {o.casefold(): o for o in options}
    if wanted.casefold() in folded:
        return folded[wanted.casefold()]
    # A part of a name will do where only one has it; never the first of several.
    partial = [o for o in options if wanted.casefold() in o.casefold()]
    if len(partial) == 1:
        return partial[0]
    near = difflib.get_close_matches(wanted.casefold(), folded, 1)
    hint = f" Did you mean {folded[near[0]]}?" if near else ""
    raise failed(
        Reason.NOT_FOUND,
        f"{connection} has no {what} {wanted}; it has: {', '.join(options)}.{hint}",
        connection,
    )


def no_device(wanted: str) -> str:
    return f"No RMM connection knows a device {wanted}; `mspterm devices` lists what is known."
