"""Dialogs: an action's parameters asked, its plan confirmed, its outcome shown."""

from mspterm.console.dialogs.ask import AskContext, ask
from mspterm.console.dialogs.confirm import confirm
from mspterm.console.dialogs.result import sentence_of, show_results

__all__ = ["AskContext", "ask", "confirm", "sentence_of", "show_results"]
