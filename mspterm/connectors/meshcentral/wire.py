"""MeshCentral's JSON as far as it is read here. Seen on 1.1.55; every field may be missing.

BitLocker recovery passwords (`volumes.*.recoveryPassword`) and login tokens pass by in these
answers and are not named here, so that they are never decoded.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

Number = int | float
T = TypeVar("T")


class Frame(Struct):
    """The outside of any message: enough to find who waits for it."""

    action: str = ""
    # `object`: an agent may put any JSON here, and no odd field may cost the whole message.
    type: object = None
    responseid: object = None
    tag: object = None
    nodeid: object = None
    id: object = None
    result: object = None
    cause: object = None
    msg: object = None
    event: Raw = Raw()


class Cookies(Struct):
    """Short-lived keys to the relay: ours, and the one that our message hands to the agent."""

    cookie: str
    rcookie: str


class Control(Struct):
    """A text frame of a tunnel, where its channel says so."""

    ctrl_channel: object = field(name="ctrlChannel", default=None)
    type: object = None
    msg: object = None


class Node(Struct, frozen=True):
    """A device. `conn` and `pwr` are absent while it is offline; times are epoch milliseconds."""

    id: str = field(name="_id")
    name: str | None = None
    rname: str | None = None
    meshid: str | None = None
    mtype: int | None = None
    icon: int | None = None
    osdesc: str | None = None
    ip: str | None = None
    conn: int | None = None
    agct: Number | None = None
    lastbootuptime: Number | None = None
    users: list[str] | None = None


class Volume(Struct):
    """A mount of `df`: KiB digits on Linux, SI sizes such as "494G" on macOS."""

    size: str | Number | None = None
    available: str | Number | None = None
    mount_point: str | None = None


class Unix(Struct):
    volumes: list[Volume] | None = None
    product_serial: str | None = None


class Drive(Struct):
    """A physical disk by WMI; `Status` "OK" or "Pred Fail" is the only health MeshCentral knows."""

    caption: str | None = field(name="Caption", default=None)
    model: str | None = field(name="Model", default=None)
    size: str | Number | None = field(name="Size", default=None)
    status: str | None = field(name="Status", default=None)


class WinVolume(Struct):
    size: str | Number | None = None
    sizeremaining: str | Number | None = None
    removable: bool | None = None
    cdrom: bool | None = None


class Memory(Struct):
    capacity: str | Number | None = field(name="Capacity", default=None)


class Windows(Struct):
    volumes: dict[str, WinVolume] | None = None
    drives: list[Drive] | None = None
    memory: list[Memory] | None = None


class Hardware(Struct):
    identifiers: dict[str, object] | None = None
    linux: Unix | None = None
    darwin: Unix | None = None
    windows: Windows | None = None


class System(Struct, frozen=True):
    """The agent's hardware report. `pendingReboot` comes from Windows only: null or the cause."""

    hardware: Hardware | None = None
    pending_reboot: str | UnsetType | None = field(name="pendingReboot", default=UNSET)


class Address(Struct):
    mac: str | None = None
    status: str | None = None
    address: str | None = None
    gateway: str | None = None


class Network(Struct, frozen=True):
    netif2: dict[str, list[Address]] | None = None


class LastConnect(Struct, frozen=True):
    time: Number | None = None


class Details(Struct):
    """One row of `getDeviceDetails`."""

    node: Node
    sys: System | None = None
    net: Network | None = None
    last: LastConnect | None = field(name="lastConnect", default=None)


class DetailsAnswer(Struct):
    """`data` is JSON inside a string."""

    data: str = "[]"


class NodesAnswer(Struct):
    """`totalcount` comes only from a server that pages (`maxdeviceview`)."""

    nodes: dict[str, list[Raw]] = {}
    totalcount: int | None = None


class Mesh(Struct):
    id: str = field(name="_id")
    name: str = ""


class MeshesAnswer(Struct):
    meshes: list[Mesh] = []


class SystemAnswer(Struct):
    """`rights` is a bit mask, -1 or 0xFFFFFFFF for all; there with `nodeinfo` only."""

    noinfo: bool = False
    rights: int | None = None


class Timeline(Struct):
    timeline: list[Number] = []


class LoggedEvent(Struct):
    time: str = ""
    msg: str = ""
    username: str | None = None


class EventsAnswer(Struct):
    events: list[LoggedEvent] = []


class NotesAnswer(Struct):
    notes: str | None = None


class Cpu(Struct):
    total: Number | None = None


class MemoryUse(Struct):
    percent: Number | None = field(name="percentConsumed", default=None)


class CpuAnswer(Struct):
    cpu: Cpu | None = None
    memory: MemoryUse | None = None


class ServiceStatus(Struct):
    state: str | None = None


class ServiceRow(Struct):
    name: str | None = None
    display: str | None = field(name="displayName", default=None)
    status: ServiceStatus | None = None
    start: object = field(name="startType", default=None)


class ValueAnswer(Struct):
    value: str = ""


class UserInfo(Struct):
    id: str = field(name="_id")
    name: str = ""
    realname: str | None = None


class UserInfoAnswer(Struct):
    userinfo: UserInfo


class Event(Struct):
    """The inside of a push: `action` says which of the others are there."""

    action: str = ""
    nodeid: str | None = None
    conn: int | None = None
    ct: Number | None = None
    node: Raw = Raw()
    mesh: Mesh | None = None


def decode(data: bytes | Raw | str, kind: type[T]) -> T:
    """Raises msgspec.MsgspecError for what isn't shaped like `kind`."""
    return msgspec.json.decode(data, type=kind)
