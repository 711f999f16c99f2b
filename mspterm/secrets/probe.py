"""Whether a backend works, by trying: a probe is written, read and deleted, with the time of each."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex

from mspterm.config.kinds import RESERVED
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, SecretStore, State

FIELD = "probe"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: write, read or delete, its milliseconds, and how it ended."""

    what: str
    ms: float
    state: State
    sentence: str
    good: bool


def probe(store: SecretStore, clock: Callable[[], float] = time.perf_counter) -> list[Step]:
    """Stops at the first step that fails; what was written is deleted in any case."""
    # Drawn for each run: a fixed word could be read from a backend that kept an earlier one.
    secret = Secret(token_hex(16))
    calls: tuple[tuple[str, Callable[[], Answer], State], ...] = (
        ("write", lambda: store.set(RESERVED, FIELD, secret), State.STORED),
        ("read", lambda: store.get(RESERVED, FIELD), State.FOUND),
        ("delete", lambda: store.delete(RESERVED, FIELD), State.DELETED),
    )
    steps: list[Step] = []
    for what, call, wanted in calls:
        began = clock()
        answer = call()
        good = answer.state is wanted and (what != "read" or answer.secret == secret)
        # `null` backends store without complaint and give nothing back (security.md 2.1).
        steps.append(Step(what, (clock() - began) * 1000, answer.state, answer.sentence, good))
        if not good:
            if what == "read":
                store.delete(RESERVED, FIELD)
            break
    return steps


def advice(env: Mapping[str, str], platform: str = sys.platform) -> str:
    """What to install or start for a keyring, on a host where none works."""
    if platform != "linux":
        return "Log in at the machine once, so that its keyring exists."
    lacking = [
        package
        for package, tool in (("gnome-keyring", "gnome-keyring-daemon"), ("dbus", "dbus-run-session"))
        if shutil.which(tool) is None
    ]
    install = f"`apt install {' '.join((*lacking, 'libsecret-tools'))}`, then " if lacking else ""
    bus = "" if _has_bus(env) else "`dbus-run-session -- bash`, in it "
    unlock = "`read -rsp 'Keyring password: ' P; printf %s \"$P\" | gnome-keyring-daemon --replace --unlock"
    return (
        f"For a Secret Service without a desktop: {install}{bus}{unlock} --components=secrets`. "
        "Or keep credentials in an age file, which needs none of that: `mspterm auth move --to age`."
    )


def _has_bus(env: Mapping[str, str]) -> bool:
    """Whether the session's bus is there; tmux keeps the address of one that has ended."""
    address = env.get("DBUS_SESSION_BUS_ADDRESS", "")
    path = address.removeprefix("unix:path=").partition(",")[0]
    return bool(address) and (path == address or os.path.exists(path))
