"""No core dump of a process that holds credentials, and no look into its memory by other processes."""

from __future__ import annotations

import sys

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """For the console and every verb, before a credential is read; costs one import of ctypes on Linux.

    Children start dumpable again, at their `exec`; the limit on core files they inherit.
    """
    if sys.platform != "win32":
        _harden()


if sys.platform != "win32":
    import contextlib
    import resource

    def _harden() -> None:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            # A kernel that pipes cores to a program does not ask for the limit.
            import ctypes

            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
