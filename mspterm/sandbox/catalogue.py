"""What the MSP has set up in its PSA: boards with their statuses, types, priorities, people, plans."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """A board's own status. `stage` is ConnectWise's `escalationStatus`, which drives the clocks."""

    id: int
    name: str
    board: int
    sort: int
    stage: str
    closed: bool = False
    no_time: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    id: int
    name: str
    tier: str
    types: tuple[str, ...]
    teams: tuple[str, ...]
    project: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    identifier: str
    first: str
    last: str
    tier: str
    phone: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        return f"{self.identifier}@northgate-it.example"


@dataclass(frozen=True, slots=True)
class Priority:
    """Hours of open time to respond, to plan and to resolve; None: no clock runs."""

    id: int
    name: str
    sort: int
    color: str
    hours: tuple[float, float, float] | None


MSP = "Northgate IT"
COMPANY = "northgate"

# Ids as in stories.HELP to PROJECT.
BOARDS = (
    Board(1, "Help Desk", "L1", ("Incident", "Request"), ("Service Desk", "Dispatch")),
    Board(2, "Monitoring", "L1", ("Alert",), ("Service Desk",)),
    Board(3, "Systems", "L2", ("Incident", "Request", "Problem"), ("Systems",)),
    Board(4, "Network and Security", "L3", ("Incident", "Problem", "Security"), ("Network", "Security")),
    Board(5, "Vendor Escalations", "vendor", ("Incident", "Request"), ("Systems",)),
    Board(6, "Changes", "L2", ("Change",), ("Systems", "Network")),
    Board(7, "Projects", "L2", ("Project",), ("Systems",), project=True),
)

NEW, ASSIGNED, WORKING, REPLIED = "New", "Assigned", "In Progress", "Client Responded"
PLANNED, SCHEDULED, CLIENT, VENDOR = "Plan Set", "Scheduled", "Waiting on Client", "Waiting on Vendor"
PARTS, APPROVAL, RESOLVED, CLOSED = "Waiting on Parts", "Waiting on Approval", "Resolved", ">Closed"

# Every board has them all; the stage is what `World.set_status` goes by.
_STATUSES = (
    (NEW, "NotResponded"),
    (ASSIGNED, "NotResponded"),
    (WORKING, "Responded"),
    (REPLIED, "Responded"),
    (PLANNED, "ResolutionPlan"),
    (SCHEDULED, "NoEscalation"),
    (CLIENT, "NoEscalation"),
    (VENDOR, "NoEscalation"),
    (PARTS, "NoEscalation"),
    (APPROVAL, "NoEscalation"),
    (RESOLVED, "Resolved"),
    (CLOSED, "Resolved"),
)

# Ids differ from board to board, as they do in every real tenant.
STATUSES = {
    board.id * 100 + 17 * board.id + place: Status(
        board.id * 100 + 17 * board.id + place,
        name,
        board.id,
        place * 10,
        stage,
        closed=name == CLOSED,
        no_time=name == CLOSED,
    )
    for board in BOARDS
    for place, (name, stage) in enumerate(_STATUSES)
}
STATUS_OF = {(status.board, status.name): status for status in STATUSES.values()}
TYPES = {
    board.id * 20 + place: (name, board.id) for board in BOARDS for place, name in enumerate(board.types)
}
TYPE_OF = {(board, name): key for key, (name, board) in TYPES.items()}
# From 5 on, so that no team has the id of a type of its board.
TEAMS = {
    board.id * 20 + 5 + place: (name, board.id) for board in BOARDS for place, name in enumerate(board.teams)
}
BOARD = {board.id: board for board in BOARDS}

# Ids are not in the order of urgency: a client must go by `sort`, as in real tenants.
PRIORITIES = (
    Priority(6, "Priority 1 - Critical", 1, "Red", (0.25, 1, 4)),
    Priority(15, "Priority 2 - High", 2, "Orange", (1, 4, 8)),
    Priority(8, "Priority 3 - Normal", 3, "Yellow", (4, 8, 24)),
    Priority(7, "Priority 4 - Low", 4, "Blue", (8, 24, 72)),
    Priority(5, "Priority 5 - Planned", 5, "Gray", None),
)
PRIORITY = {priority.id: priority for priority in PRIORITIES}

MEMBERS = tuple(
    Member(150 + place, identifier, first, last, tier, f"+1 555 01{80 + place}")
    for place, (identifier, first, last, tier) in enumerate(
        (
            ("ines", "Ines", "Duarte", "L2"),
            ("marcus", "Marcus", "Bell", "L1"),
            ("priya", "Priya", "Nair", "L3"),
            ("tom", "Tom", "Okafor", "L1"),
            ("hanna", "Hanna", "Lindqvist", "L1"),
            ("diego", "Diego", "Fuentes", "L1"),
            ("aoife", "Aoife", "Byrne", "L1"),
            ("kenji", "Kenji", "Mori", "L2"),
            ("ruth", "Ruth", "Adeyemi", "L2"),
            ("pavel", "Pavel", "Novak", "L2"),
            ("selin", "Selin", "Kaya", "L3"),
            ("george", "George", "Whitlock", "L3"),
        )
    )
)
MEMBER = {member.id: member for member in MEMBERS}
MEMBER_NAMED = {member.identifier: member for member in MEMBERS}
ME = MEMBERS[0]
"""Whose API keys the sandbox gives out."""

SOURCES = {1: "Phone", 2: "Email Connector", 3: "Portal", 4: "NinjaOne", 5: "Technician"}
WORK_TYPES = {1: "Remote", 2: "Onsite", 3: "After Hours", 4: "Travel"}
WORK_ROLES = {1: "Technician", 2: "Systems Engineer", 3: "Specialist"}

PLANS = {1: "24x7", 2: "12x5", 3: "8x5"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# By the id of the plan; `sla.goals` counts them in the client's own zone.
HOURS = {
    1: {day: [["00:00", "24:00"]] for day in _DAYS},
    2: {day: [["07:00", "19:00"]] for day in _DAYS[:5]},
    3: {day: [["09:00", "17:00"]] for day in _DAYS[:5]},
}
