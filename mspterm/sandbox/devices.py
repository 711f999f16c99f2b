"""Devices as their agents report them: row N is made from the seed when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mspterm.sandbox.clients import CLIENT, CLIENT_CODED, CLIENTS
from mspterm.sandbox.draw import Draw

FIRST_ID = 1001
GB = 1 << 30


@dataclass(slots=True)
class Volume:
    letter: str
    label: str
    capacity: int
    free: int

    @property
    def free_percent(self) -> float:
        return 100 * self.free / self.capacity


@dataclass(slots=True)
class Service:
    name: str
    title: str
    state: str = "RUNNING"
    start: str = "AUTO_START"


@dataclass(frozen=True, slots=True)
class Maintenance:
    start: datetime
    end: datetime
    reason: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What devices of a role are. `os` is name, build and release; none where no agent runs on it."""

    node_class: str
    maker: str
    model: str
    os: tuple[str, str, str] | None
    volumes: tuple[tuple[str, int], ...] = ()
    services: tuple[tuple[str, str], ...] = ()
    virtual: bool = False


_WIN_SERVER = ("Windows Server 2022 Standard", "20348", "21H2")
_WIN = ("Windows 11 Pro", "26100", "24H2")
_COMMON = (("Spooler", "Print Spooler"), ("W32Time", "Windows Time"), ("WinDefend", "Microsoft Defender"))
_DC = (
    *_COMMON,
    ("NTDS", "Active Directory Domain Services"),
    ("DNS", "DNS Server"),
    ("Netlogon", "Netlogon"),
)
_SQL = (*_COMMON, ("MSSQLSERVER", "SQL Server (MSSQLSERVER)"), ("SQLSERVERAGENT", "SQL Server Agent"))

MODELS = {
    "DC": Model("WINDOWS_SERVER", "Dell Inc.", "PowerEdge T350", _WIN_SERVER, (("C", 200), ("D", 400)), _DC),
    "FS": Model(
        "WINDOWS_SERVER", "Dell Inc.", "PowerEdge R450", _WIN_SERVER, (("C", 200), ("D", 4000)), _COMMON
    ),
    "SQL": Model(
        "WINDOWS_SERVER", "Dell Inc.", "PowerEdge R450", _WIN_SERVER, (("C", 200), ("D", 1200)), _SQL
    ),
    "MES": Model(
        "WINDOWS_SERVER",
        "VMware, Inc.",
        "VMware7,1",
        _WIN_SERVER,
        (("C", 120), ("D", 600)),
        (*_COMMON, ("OakMes", "Line Control Server")),
        virtual=True,
    ),
    "RDS": Model(
        "WINDOWS_SERVER",
        "Microsoft Corporation",
        "Virtual Machine",
        _WIN_SERVER,
        (("C", 250),),
        (*_COMMON, ("TermService", "Remote Desktop Services")),
        virtual=True,
    ),
    "HV": Model(
        "HYPERV_VMM_HOST", "HPE", "ProLiant DL380 Gen10", _WIN_SERVER, (("C", 200), ("D", 8000)), _COMMON
    ),
    "ESX": Model(
        "VMWARE_VM_HOST",
        "HPE",
        "ProLiant DL360 Gen10",
        ("VMware ESXi 8.0.3", "24022510", "8.0"),
        (("datastore1", 6000),),
    ),
    "NAS": Model(
        "LINUX_SERVER",
        "Synology",
        "RS1221+",
        ("Debian GNU/Linux 12", "6.1.0", "12"),
        (("/", 60), ("/volume1", 20000)),
    ),
    "FW": Model("NMS_FIREWALL", "Fortinet", "FortiGate 60F", None),
    "SW": Model("NMS_SWITCH", "Aruba", "2930F 48G PoE+", None),
    "AP": Model("NMS_WAP", "Ubiquiti", "U6-Pro", None),
    "PRN": Model("NMS_PRINTER", "Brother", "MFC-L8900CDW", None),
    "WS": Model("WINDOWS_WORKSTATION", "Lenovo", "ThinkCentre M90q", _WIN, (("C", 480),), _COMMON),
    "LT": Model("WINDOWS_WORKSTATION", "Lenovo", "ThinkPad T14 Gen 4", _WIN, (("C", 480),), _COMMON),
    "MAC": Model("MAC", "Apple Inc.", "Mac15,3", ("macOS 15.6", "24G84", "15.6"), (("Macintosh HD", 460),)),
}

# The first forty, by client: (role, number, site). What comes after is drawn.
_FIRST = {
    "HVD": (("DC", "01", 0), ("FS", "01", 0), ("FW", "01", 0), ("WS", "-012", 1), ("LT", "-031", 0)),
    "KSL": (("DC", "01", 0), ("HV", "01", 0), ("FW", "01", 0), ("SW", "01", 0), ("LT", "-014", 1)),
    "MFL": (("DC", "01", 0), ("SQL", "01", 0), ("FW", "01", 0), ("LT", "-007", 0), ("MAC", "-003", 0)),
    "OAK": (("SQL", "01", 0), ("MES", "01", 0), ("ESX", "01", 0), ("FW", "01", 0), ("WS", "-102", 1)),
    "SMB": (("FS", "01", 0), ("FW", "01", 0), ("NAS", "01", 0), ("LT", "-002", 0), ("WS", "-004", 0)),
    "SBS": (("DC", "01", 0), ("RDS", "01", 0), ("FW", "01", 0), ("AP", "01", 1), ("PRN", "-22", 0)),
    "TCU": (("DC", "01", 0), ("SQL", "01", 0), ("FW", "01", 1), ("LT", "-018", 0), ("WS", "-045", 1)),
    "COR": (("NAS", "01", 0), ("FW", "01", 0), ("MAC", "-001", 0), ("MAC", "-002", 0), ("LT", "-005", 0)),
}
_FIXED = tuple((code, *row) for code, rows in _FIRST.items() for row in rows)
FIXED = len(_FIXED)
PLACES = {role: [n for n, row in enumerate(_FIXED) if row[1] == role] for role in MODELS}
"""Where devices of a role are among the first."""
# Each entry is as likely as the next, hence the repetition: a fleet is mostly PCs.
_DRAWN = ("WS", "WS", "WS", "WS", "LT", "LT", "LT", "MAC", "FS", "RDS", "SQL", "SW", "AP", "PRN")


@dataclass(slots=True)
class Device:
    id: int
    uid: str
    name: str
    role: str
    client: int
    site: int
    serial: str
    ip: str
    mac: str
    user: str | None
    created: datetime
    boot: datetime
    heard: datetime
    """When the agent last reported; while the device is online, that is now."""
    volumes: list[Volume] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    pending_patches: int = 0
    failed_patches: int = 0
    reboot_reason: str | None = None
    offline: bool = False
    maintenance: Maintenance | None = None

    @property
    def model(self) -> Model:
        return MODELS[self.role]

    def volume(self, letter: str) -> Volume | None:
        return next((volume for volume in self.volumes if volume.letter == letter), None)


def role_at(seed: int, place: int) -> tuple[str, int]:
    """The role and the client of the device in this place, without making the device."""
    if place < FIXED:
        code, role, _, _ = _FIXED[place]
        return role, CLIENT_CODED[code].id
    draw = Draw(seed, "device", place)
    # Client and role are the first two draws, so that both are told without the rest.
    client = draw.pick(CLIENTS)
    return draw.pick(_DRAWN), client.id


def name_at(seed: int, place: int) -> str:
    """The name of the device in this place, without making the device."""
    role, client = role_at(seed, place)
    return _name(role, client, place)


def _name(role: str, client: int, place: int) -> str:
    return f"{CLIENT[client].code}-{role}{_number(role, place)}"


def made(seed: int, place: int, began: datetime) -> Device:
    """The device in this place as it was when the world began."""
    role, client_id = role_at(seed, place)
    client = CLIENT[client_id]
    # A stream of its own: `role_at` draws the same whether the device is made or not.
    draw = Draw(seed, "device state", place)
    site = draw.below(len(client.sites))
    if place < FIXED:
        site = _FIXED[place][3]
    model = MODELS[role]
    person = draw.pick(client.contacts)
    boot = began - timedelta(minutes=draw.between(600, 60_000))
    # The draws stand in this order: moving an argument changes the world of every seed.
    device = Device(
        id=FIRST_ID + place,
        uid=draw.uid(),
        name=_name(role, client_id, place),
        role=role,
        client=client_id,
        site=client.sites[site].id,
        serial=f"{client.code}{draw.below(1 << 28):07X}",
        ip=f"10.{client_id}.{place // 250 % 250}.{place % 250 + 2}",
        # 02 is a locally administered address, which no maker gives out.
        mac=f"02:{client_id:02X}:{place >> 16 & 255:02X}:{place >> 8 & 255:02X}:{place & 255:02X}:01",
        user=f"{client.code}\\{person.first.lower()}" if role in ("WS", "LT", "MAC") else None,
        created=began - timedelta(days=30 + draw.below(900)),
        boot=boot,
        heard=began,
        volumes=[
            Volume(letter, "System" if n == 0 else "Data", gb * GB, int(gb * GB * draw.between(0.18, 0.7)))
            for n, (letter, gb) in enumerate(model.volumes)
        ],
        services=[Service(*names) for names in model.services],
        offline=role in ("WS", "LT", "MAC") and draw.chance(12),
    )
    _patched(device, draw)
    if device.offline:
        device.heard = began - timedelta(minutes=draw.between(30, 4000))
    return device


def _number(role: str, place: int) -> str:
    if place < FIXED:
        return _FIXED[place][2]
    return f"-{place:05}" if role in ("WS", "LT", "MAC", "PRN", "AP", "SW") else f"{place:05}"


def _patched(device: Device, draw: Draw) -> None:
    if device.model.os is None:
        return
    device.pending_patches = draw.below(6)
    device.failed_patches = 1 if draw.chance(8) else 0
    if device.pending_patches and draw.chance(20):
        device.reboot_reason = (
            "Windows Update" if device.model.node_class.startswith("WIN") else "Kernel update"
        )
