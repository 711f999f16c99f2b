"""One question to ConnectWise, with what is needed to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from mspterm.sandbox.cw_http import not_found
from mspterm.sandbox.cw_rows import View
from mspterm.sandbox.life import Life
from mspterm.sandbox.tickets import Ticket
from mspterm.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Ask:
    request: Request
    view: View
    life: Life

    @property
    def world(self) -> World:
        return self.view.world

    def number(self, name: str) -> int:
        return int(self.request.path_params[name])

    def ticket(self, name: str = "id", *, project: bool | None = None) -> Ticket:
        """The ticket in the path. Refuses one that doesn't exist, or not on this side (404)."""
        found = self.world.ticket(self.number(name))
        if found is None or (project is not None and found.project != project):
            raise not_found("Ticket", self.number(name))
        return found
