"""What a person typed, in a dialog or on a command line, before it is a plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mspterm.domain.action import Audience


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, before it means anything to a vendor. `owner`: a name, a login, `me` or
    `nobody`; `to`: `tier:N`, `queue:NAME` or `vendor:NAME`."""

    text: str | None = None
    audience: Audience | None = None
    mail: bool | None = None
    minutes: int | None = None
    status: str | None = None
    owner: str | None = None
    priority: int | None = None
    queue: str | None = None
    next_at: datetime | None = None
    to: str | None = None
    client: str | None = None
    summary: str | None = None
    contact: str | None = None
    device: str | None = None
    type: str = "incident"
    connection: str | None = None
    parent: str | None = None
    command: str | None = None
    script: str | None = None
    shell: str = "auto"
    run_as: str = "system"
    attach: str | None = None
    release: bool = False
    switch: str | None = None
    method: str | None = None
    number: str | None = None
    result: str | None = None
    whom: str | None = None
    reason: str | None = None
