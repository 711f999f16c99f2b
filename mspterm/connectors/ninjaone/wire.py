"""NinjaOne's API v2 as it is sent. Its times are epoch seconds with a fraction; all else is optional."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
Time = float | str | None
"""Epoch seconds; where maintenance is meant, the description says milliseconds or ISO 8601."""


class Wire(msgspec.Struct, rename="camel", gc=False):
    """Keys are in camel case. Rows hold no cycles, and a fleet of them is kept."""


class Token(msgspec.Struct):
    """The token endpoint's answer, in OAuth's own spelling."""

    access_token: str
    expires_in: float = 3600
    refresh_token: str | None = None


class Refusal(msgspec.Struct):
    """An error: NinjaOne's envelope, or OAuth's."""

    error_message: str | None = msgspec.field(name="errorMessage", default=None)
    error: str | None = None
    error_description: str | None = None


class Named(Wire):
    id: int | None = None
    name: str | None = None


class References(Wire):
    organization: Named | None = None
    location: Named | None = None


class Maintenance(Wire):
    status: str | None = None
    end: Time = None
    reason_message: str | None = None


class System(Wire):
    """An operating system, in a device or in a query's row."""

    name: str | None = None
    last_boot_time: Time = None
    needs_reboot: bool | None = None
    device_id: int | None = None


class Computer(Wire):
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    bios_serial_number: str | None = None
    domain: str | None = None
    domain_role: str | None = None
    total_physical_memory: int | None = None
    device_id: int | None = None


class Volume(Wire):
    name: str | None = None
    drive_letter: str | None = None
    label: str | None = None
    capacity: int | None = None
    free_space: int | None = None
    device_id: int | None = None


class Device(Wire):
    id: int
    organization_id: int | None = None
    location_id: int | None = None
    node_class: str | None = None
    approval_status: str | None = None
    offline: bool | None = None
    display_name: str | None = None
    system_name: str | None = None
    dns_name: str | None = None
    last_contact: Time = None
    maintenance: Maintenance | None = None
    references: References | None = None
    ip_addresses: list[str] | None = None
    public_ip: str | None = msgspec.field(name="publicIP", default=None)
    os: System | None = None
    system: Computer | None = None
    volumes: list[Volume] | None = None
    last_logged_in_user: str | None = None


class Health(Wire):
    device_id: int
    alert_count: int | None = None
    pending_reboot_reason: str | None = None
    failed_os_patches: int | None = msgspec.field(name="failedOSPatchesCount", default=None)
    pending_os_patches: int | None = msgspec.field(name="pendingOSPatchesCount", default=None)
    failed_software_patches: int | None = msgspec.field(name="failedSoftwarePatchesCount", default=None)
    pending_software_patches: int | None = msgspec.field(name="pendingSoftwarePatchesCount", default=None)


class User(Wire):
    user_name: str | None = None
    device_id: int | None = None


class Disk(Wire):
    name: str | None = None
    model: str | None = None
    status: str | None = None


class Patch(Wire):
    status: str | None = None


class Service(Wire):
    name: str | None = None
    display_name: str | None = None
    start_type: str | None = None
    state: str | None = None


class Interface(Wire):
    interface_name: str | None = None
    adapter_name: str | None = None
    default_gateway: str | None = None
    ip_address: list[str] | None = None
    mac_address: list[str] | None = None
    status: str | None = None


class Alert(Wire):
    uid: str
    device_id: int | None = None
    message: str | None = None
    create_time: Time = None
    source_type: str | None = None
    source_name: str | None = None
    subject: str | None = None
    severity: str | None = None
    priority: str | None = None
    condition_name: str | None = None


class Activity(Wire):
    id: int
    activity_time: Time = None
    device_id: int | None = None
    series_uid: str | None = None
    activity_type: str | None = None
    status_code: str | None = None
    activity_result: str | None = None
    source_name: str | None = None
    subject: str | None = None
    message: str | None = None
    data: Any = None


class Activities(Wire):
    last_activity_id: int | None = None
    activities: list[msgspec.Raw] = []


class Cursor(Wire):
    name: str | None = None


class QueryPage(Wire):
    cursor: Cursor | None = None
    results: list[msgspec.Raw] = []


class Script(Wire):
    """A script of the library (by `id`) or a built-in action (by `uid`)."""

    type: str = "SCRIPT"
    id: int | None = None
    uid: str | None = None
    name: str = ""
    language: str | None = None


class Credentials(Wire):
    roles: list[str] = []


class ScriptOptions(Wire):
    scripts: list[Script] = []
    credentials: Credentials | None = None


class _Id(Wire):
    id: int | str = ""
    uid: str = ""


def item(raw: msgspec.Raw | bytes, into: type[T]) -> T:
    """One row. Raises msgspec.ValidationError naming the field."""
    return msgspec.json.decode(raw, type=into, strict=False)


def item_id(raw: msgspec.Raw) -> str:
    """A row's id even when the rest of it can't be read."""
    try:
        found = item(raw, _Id)
    except msgspec.MsgspecError:
        return "?"
    return str(found.id or found.uid or "?")
