"""Text to the clipboard of the terminal that the person sits at: OSC 52, or by way of tmux.

Never an echo: no terminal says whether it took the text, so the sentence says where it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping

from mspterm.console.osc import osc52

# A tmux server that hangs must not hold the copy key; the sequence goes out by itself then.
_TMUX_S = 2.0
# What its client needs to find its server; no secret of our environment goes along.
_TMUX_NEEDS = ("PATH", "HOME", "LANG", "TMUX", "TMUX_PANE", "TMUX_TMPDIR")


async def copy(text: str, write: Callable[[str], None], env: Mapping[str, str] = os.environ) -> str:
    """Send it; where it was sent, in words. Raises Failed where it is too long."""
    # Also for tmux: what is too long for the terminal is refused, wherever it would go first.
    sequence = osc52(text, env)
    if env.get("TMUX") and await _tmux_took(text, env):
        return "tmux's buffer and the terminal's clipboard"
    write(sequence)
    return "the terminal's clipboard"


async def _tmux_took(text: str, env: Mapping[str, str]) -> bool:
    """tmux drops an OSC 52 of a program inside it as it comes, but sends one itself for `-w` (3.2)."""
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", "load-buffer", "-w", "-",
            env={name: env[name] for name in _TMUX_NEEDS if name in env},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return False
    try:
        await asyncio.wait_for(process.communicate(text.encode("utf-8", "replace")), _TMUX_S)
    except TimeoutError:
        # It may have ended between the time-out and this.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return False
    return process.returncode == 0
