"""Who of the user's processes reads a connection now."""

from __future__ import annotations

import random
from datetime import timedelta

from mspterm.desk.desk import Desk

LEASE_S = 30.0
FOR_GOOD_S = 10 * 365 * 86_400.0
"""A console leads until it leaves or its process ends."""


class PollLease:
    """One process's side of it. What was read under an older fencing number is not to be stored."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # One process may have several of us, which its presence alone would not tell apart.
        self._mark = f"{random.randrange(16**8):08x}"

    @property
    def _owner(self) -> str:
        return f"{self._desk.presence.token()} {self._mark}"

    def take(self, name: str) -> int | None:
        """Takes or renews it: the fencing number, or None while another living process holds it."""
        leases, lease, now = self._desk.store.connections, f"poll:{name}", self._desk.now()
        # While half of it is left nothing is written: this is asked again for every batch that comes.
        held = leases.fence(lease, self._owner, now + timedelta(seconds=LEASE_S / 2))
        if held is not None:
            return held
        holder = leases.holder(lease, now)
        if holder is not None and holder != self._owner:
            if self._desk.presence.lives(holder.partition(" ")[0]):
                return None
            # Released in the dead one's name: where another was quicker than we, this lets go of nothing,
            # and the lease below is refused.
            leases.release(lease, holder)
        return leases.lease(lease, self._owner, now, LEASE_S)

    def release(self, name: str) -> None:
        self._desk.store.connections.release(f"poll:{name}", self._owner)

    def leads(self, name: str) -> bool:
        """Whether this console is the one that reads it when it is due, from now on where none is."""
        if self.led(name):
            return False
        # `led` above has let go of what a dead one held, which would last for years.
        leases, lease, now = self._desk.store.connections, f"lead:{name}", self._desk.now()
        return leases.lease(lease, self._owner, now, FOR_GOOD_S) is not None

    def led(self, name: str) -> bool:
        """Whether another console, which lives, reads it when it is due."""
        leases, lease = self._desk.store.connections, f"lead:{name}"
        holder = leases.holder(lease, self._desk.now())
        if holder is None or holder == self._owner:
            return False
        if self._desk.presence.lives(holder.partition(" ")[0]):
            return True
        leases.release(lease, holder)
        return False

    def leave(self, name: str) -> None:
        """Lets another console lead."""
        self.release(name)
        self._desk.store.connections.release(f"lead:{name}", self._owner)
