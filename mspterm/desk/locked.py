"""One process at a time, under the desk's own name for it."""

from __future__ import annotations

from mspterm.config.locked import locked, take

__all__ = ["locked", "take"]
