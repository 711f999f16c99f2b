"""What could be chosen when a server was last asked, as the store keeps it."""

from __future__ import annotations

from mspterm.connectors.base import Choices
from mspterm.domain.ticket import Ticket
from mspterm.store.codec import pack, unpack


def key(name: str, ticket: Ticket | None) -> str:
    # By queue, not by ticket: RT's statuses hang on the queue's lifecycle, ConnectWise's on the board.
    return f"choices:{name}:{ticket.queue_id if ticket else ''}"


def dump(choices: Choices) -> str:
    # The store keeps such values as text.
    return pack(choices).hex()


def read(text: str | None) -> Choices:
    return Choices() if text is None else unpack(bytes.fromhex(text), Choices)
