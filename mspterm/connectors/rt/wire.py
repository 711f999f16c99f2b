"""RT's REST 2.0 as it is sent. Numbers come as strings, so all of it is decoded leniently."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")

_ODD_NAMES = {"id": "id", "hyperlinks": "_hyperlinks", "content_type": "ContentType"}


def _field(name: str) -> str:
    return _ODD_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))


class WireUser(msgspec.Struct, rename=_field):
    """A user; `id` is the login in lists and references, a number in `/user/N` itself."""

    id: str | int = ""
    name: str | None = None
    real_name: str | None = None
    email_address: str | None = None
    work_phone: str | None = None
    mobile_phone: str | None = None
    home_phone: str | None = None

    @property
    def login(self) -> str:
        return self.name or str(self.id)


class WireQueue(msgspec.Struct, rename=_field):
    id: str | int = ""
    name: str | None = None


class WireCustomField(msgspec.Struct):
    """Its keys are in lower case, unlike all others."""

    id: str | int = ""
    name: str = ""
    # msgspec makes a new list for each struct, so an empty one may stand as a default.
    values: list[str | None] = []


class WireLink(msgspec.Struct):
    """One of `_hyperlinks`: `ref` refers-to, parent, child, referred-to-by, lifecycle..."""

    ref: str = ""
    type: str = ""
    id: str | int = ""
    to: str = ""


class WireTicket(msgspec.Struct, rename=_field):
    id: str | int
    status: str
    created: str
    last_updated: str
    subject: str | None = None
    # A word where RT has EnablePriorityAsString on.
    priority: str | int | None = None
    owner: WireUser = msgspec.field(default_factory=WireUser)
    queue: WireQueue = msgspec.field(default_factory=WireQueue)
    requestor: list[WireUser] = []
    last_updated_by: WireUser = msgspec.field(default_factory=WireUser)
    due: str | None = None
    starts: str | None = None
    told: str | None = None
    resolved: str | None = None
    time_worked: int | None = None
    custom_fields: list[WireCustomField] = []
    hyperlinks: list[WireLink] = []


class WireAsset(msgspec.Struct, rename=_field):
    id: str | int
    name: str | None = None
    description: str | None = None
    custom_fields: list[WireCustomField] = []
    hyperlinks: list[WireLink] = []


class WireTransaction(msgspec.Struct, rename=_field):
    id: str | int
    type: str
    created: str
    creator: WireUser = msgspec.field(default_factory=WireUser)
    field: str | None = None
    old_value: str | None = None
    new_value: str | None = None
    time_taken: int | None = None


class WireAttachment(msgspec.Struct, rename=_field):
    id: str | int
    transaction_id: str | int
    content_type: str | None = None
    filename: str | None = None
    headers: str | None = None
    content: str | None = None


class WireVersion(msgspec.Struct, rename=_field):
    version: str = ""


class WireOwner(msgspec.Struct):
    """A suggestion of the web interface's owner field: `value` the login, `label` for people."""

    value: str
    label: str = ""


class WireCreated(msgspec.Struct):
    id: str | int


class Page(msgspec.Struct):
    """One page of any list; items stay raw so that one odd item does not cost the page.
    `total` is null for history, attachments, assets and queues."""

    items: list[msgspec.Raw]
    total: int | None = None


class _Id(msgspec.Struct):
    id: str | int = ""


class WireDate(msgspec.Struct):
    """The cheapest row of a ticket."""

    id: str
    last_updated: str = msgspec.field(name="LastUpdated", default="")


def dates(page: Page) -> list[WireDate]:
    """The rows of a page that was asked for dates only."""
    return [item(raw, WireDate) for raw in page.items]


def item(raw: msgspec.Raw, into: type[T]) -> T:
    """One item of a page. Raises msgspec.ValidationError naming the field."""
    return msgspec.json.decode(raw, type=into, strict=False)


def item_id(raw: msgspec.Raw) -> str:
    """An item's id even when the rest of it can't be read."""
    try:
        return str(item(raw, _Id).id)
    except msgspec.MsgspecError:
        return "?"
