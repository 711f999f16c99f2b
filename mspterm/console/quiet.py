"""Screens whose focus moves without a repaint of everything: 20 KB for a Tab at 200x50."""

from __future__ import annotations

from typing import TypeVar

from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

T = TypeVar("T")


class QuietScreen(Screen[T]):
    """What looks different with the focus repaints itself."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class QuietModal(ModalScreen[T]):
    """The same over another screen."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
