"""ConnectWise's REST 3.0 as it is sent: newer servers leave out what is null, older ones send it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ODD_NAMES = {
    "info": "_info",
    "respond_by_goal": "respondByGoalUTC",
    "resplan_goal": "resplanGoalUTC",
    "resolution_goal": "resolutionGoalUTC",
}


def _field(name: str) -> str:
    first, *rest = name.split("_")
    return _ODD_NAMES.get(name) or first + "".join(part.capitalize() for part in rest)


class Info(msgspec.Struct, rename=_field):
    """`_info`: the only place of a ticket's times of entry and change."""

    last_updated: str | None = None
    date_entered: str | None = None


class Ref(msgspec.Struct, rename=_field):
    """A reference to another record; a member's has `identifier`, which is the login."""

    id: int | None = None
    name: str | None = None
    identifier: str | None = None


class Person(Ref, rename=_field):
    """A member, as a reference or (on older servers) whole."""

    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    license_class: str | None = None
    default_email: str | None = None
    inactive_flag: bool | None = None

    @property
    def label(self) -> str:
        """The name that a person reads."""
        whole = " ".join(part for part in (self.first_name, self.last_name) if part)
        return self.name or self.full_name or whole or self.identifier or str(self.id or "")


class CustomField(msgspec.Struct, rename=_field):
    id: int
    caption: str = ""
    value: Any = None


class Ticket(msgspec.Struct, rename=_field):
    id: int
    summary: str | None = None
    record_type: str | None = None
    board: Ref | None = None
    status: Ref | None = None
    company: Ref | None = None
    site: Ref | None = None
    site_name: str | None = None
    contact: Ref | None = None
    contact_name: str | None = None
    contact_phone_number: str | None = None
    contact_phone_extension: str | None = None
    contact_email_address: str | None = None
    type: Ref | None = None
    sub_type: Ref | None = None
    item: Ref | None = None
    team: Ref | None = None
    owner: Person | None = None
    priority: Ref | None = None
    source: Ref | None = None
    agreement: Ref | None = None
    required_date: str | None = None
    closed_date: str | None = None
    closed_flag: bool | None = None
    customer_updated_flag: bool | None = None
    automatic_email_contact_flag: bool | None = None
    automatic_email_resource_flag: bool | None = None
    automatic_email_cc_flag: bool | None = None
    parent_ticket_id: int | None = None
    has_child_ticket: bool | None = None
    actual_hours: float | None = None
    sla_status: str | None = None
    date_responded: str | None = None
    date_resplan: str | None = None
    date_resolved: str | None = None
    respond_by_goal: str | None = None
    resplan_goal: str | None = None
    resolution_goal: str | None = None
    custom_fields: list[CustomField] | None = None
    info: Info = msgspec.field(default_factory=Info)


class Dated(msgspec.Struct, rename=_field):
    """A ticket of which only the time of its last change was asked."""

    id: int
    info: Info = msgspec.field(default_factory=Info)


class Board(msgspec.Struct, rename=_field):
    id: int
    name: str = ""
    inactive_flag: bool | None = None
    project_flag: bool | None = None


class Status(msgspec.Struct, rename=_field):
    """A status of one board. `escalation_status` is the SLA stage that it stamps."""

    id: int
    name: str
    sort_order: int | None = None
    inactive: bool | None = None
    closed_status: bool | None = None
    default_flag: bool | None = None
    time_entry_not_allowed: bool | None = None
    escalation_status: str | None = None


class Named(msgspec.Struct, rename=_field):
    """A type, subtype, item, team or priority."""

    id: int
    name: str = ""
    sort_order: int | None = None
    default_flag: bool | None = None


class Company(msgspec.Struct, rename=_field):
    id: int
    identifier: str | None = None
    name: str | None = None


class Note(msgspec.Struct, rename=_field):
    id: int
    text: str | None = None
    detail_description_flag: bool | None = None
    internal_analysis_flag: bool | None = None
    resolution_flag: bool | None = None
    member: Person | None = None
    contact: Ref | None = None
    date_created: str | None = None
    created_by: str | None = None
    info: Info = msgspec.field(default_factory=Info)


class TimeEntry(msgspec.Struct, rename=_field):
    id: int
    member: Person | None = None
    time_start: str | None = None
    time_end: str | None = None
    actual_hours: float | None = None
    notes: str | None = None
    internal_notes: str | None = None
    add_to_detail_description_flag: bool | None = None
    add_to_internal_analysis_flag: bool | None = None
    add_to_resolution_flag: bool | None = None
    entered_by: str | None = None
    date_entered: str | None = None


class Configuration(msgspec.Struct, rename=_field):
    id: int
    name: str = ""
    type: Ref | None = None
    company: Ref | None = None
    device_identifier: str | None = None
    serial_number: str | None = None
    model_number: str | None = None
    os_type: str | None = None


class Communication(msgspec.Struct, rename=_field):
    value: str = ""
    extension: str | None = None
    communication_type: str | None = None


class Contact(msgspec.Struct, rename=_field):
    id: int
    first_name: str | None = None
    last_name: str | None = None
    communication_items: list[Communication] | None = None

    @property
    def label(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class Document(msgspec.Struct, rename=_field):
    id: int
    title: str | None = None
    file_name: str | None = None
    size: int | None = None


class System(msgspec.Struct, rename=_field):
    version: str | None = None


class CompanyInfo(msgspec.Struct):
    """`/login/companyinfo`: its keys are capitalised, unlike all others."""

    codebase: str | None = msgspec.field(name="Codebase", default=None)


class FieldError(msgspec.Struct, rename=_field):
    code: str | None = None
    message: str | None = None
    field: str | None = None


class Refusal(msgspec.Struct, rename=_field):
    """An error's body; the 429's has no `code`."""

    code: str | None = None
    message: str | None = None
    errors: list[FieldError] | None = None


class _Id(msgspec.Struct):
    id: int | str = ""


def item(raw: msgspec.Raw | bytes, into: type[T]) -> T:
    """One record. Raises msgspec.ValidationError naming the field."""
    # Lenient: `_info` holds strings only, and some numbers come as strings.
    return msgspec.json.decode(raw, type=into, strict=False)


def item_id(raw: msgspec.Raw) -> str:
    """A record's id even when the rest of it can't be read."""
    try:
        return str(item(raw, _Id).id)
    except msgspec.MsgspecError:
        return "?"
