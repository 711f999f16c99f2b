"""What came of a session, from ssh's exit status and what it said on stderr."""

from __future__ import annotations

import re

from mspterm.domain.reasons import Failure, Reason
from mspterm.domain.ssh import SshTarget
from mspterm.domain.text import clean

FAILED_ITSELF = 255
"""ssh's own failure; any other status is the remote shell's."""

# ssh translates none of its messages, so its English can be relied on.
_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED")
_OFFERED = re.compile(r"sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]{43})")
_ALIAS = re.compile(r"[Hh]ost key (?:for|is known for) (\S+) (?:has changed|and you have requested)")


def offered_fingerprint(said: str) -> str | None:
    """The fingerprint of the key that was not the recorded one."""
    found = _OFFERED.search(said)
    return found[1] if found else None


def failure_of(target: SshTarget, status: int, said: str, known_hosts: str) -> Failure | None:
    """Why there was no session, or why it ended badly; None where it ended as a session does."""
    if status != FAILED_ITSELF:
        return None
    alias = found[1] if (found := _ALIAS.search(said)) else target.name
    # First: after a changed key ssh says that verification failed as well.
    if _CHANGED.search(said):
        sentence = (
            f"The host key of {alias} is not the one recorded: another machine, or somebody in between. Nothing"
            f" was sent. Where the machine was rebuilt, take its line out of {known_hosts} and compare the new"
            " fingerprint."
        )
        return Failure(Reason.CONFLICT, sentence)
    if "Host key verification failed" in said or "host key is known for" in said:
        sentence = (
            f"The host key of {alias} is not known, so nothing was sent; open the session again to see it."
        )
        return Failure(Reason.REFUSED, sentence)
    # The server's own banner is among these lines.
    lines = [clean(line, limit=200) for line in said.splitlines() if line.strip()]
    reason = Reason.AUTH if "Permission denied" in said else Reason.OFFLINE
    last = lines[-1].rstrip(".") if lines else "it ended without a word"
    return Failure(reason, f"ssh to {target}: {last}.")
