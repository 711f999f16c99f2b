"""The system's log (syslog, journald), where there is one. The only module that knows of it."""

from __future__ import annotations

import sys
from pathlib import Path

# Linux, macOS. In a container often nobody listens, and that is no failure.
SOCKETS = (Path("/dev/log"), Path("/var/run/syslog"))

if sys.platform == "win32":

    def say(text: str) -> None:
        """Windows has no system log that a program may write to unregistered."""

else:
    import syslog

    def say(text: str) -> None:
        """One line for the administrator's log; may block, so call it where nobody waits."""
        if any(socket.exists() for socket in SOCKETS):
            # LOG_AUTH: its file is usually root's, out of reach of the user who owns the journal.
            syslog.openlog("mspterm", 0, syslog.LOG_AUTH)
            syslog.syslog(syslog.LOG_NOTICE, text)
