"""The keys of SLA policies, triage, storms and escalation."""

from __future__ import annotations

from mspterm.config.keys import Key, Names, Table, Type

ALWAYS = "24x7"
"""The calendar that is there without being configured."""
TIERS = ("L1", "L2", "L3", "vendor")
TYPES = ("incident", "request", "alert", "problem", "change", "project", "task")
TARGETS = ("response", "plan", "resolution", "update")
HANDOFF = ("what", "tried", "hypothesis", "client_context", "check_first")
PRIORITIES = Names("P[1-5]", "a priority, P1 to P5")
STATUSES = Names(
    "(new|open|waiting|resolved|closed)(:(us|customer|vendor|parts|approval|schedule))?",
    "a status class, or one as waiting:vendor",
)
UPDATES = {"P1": "1h", "P2": "4h", "P3": "1bd", "P4": "2bd"}
# Never the response, which other desks don't extend either (sla.md).
PAUSES = {"waiting": ("plan", "resolution", "update")}

SLA = Table(
    "sla",
    "SLA policies: the first of the file that fits a ticket gives its targets",
    (
        Key("clients", Type.NAMES, "Clients it is for, * for any text; all", default=(), sample=("hvd",)),
        Key("agreements", Type.NAMES, "Agreements it is for; all", default=(), sample=("*24x7*",)),
        Key("queues", Type.NAMES, "Queues it is for; all", default=(), sample=("Service Desk", "Tier 2")),
        Key("types", Type.CHOICES, "Types it is for; all", default=(), sample=("incident",), choices=TYPES),
        Key(
            "priorities",
            Type.CHOICES,
            "Priorities it is for; all",
            default=(),
            sample=("P1", "P2"),
            choices=("P1", "P2", "P3", "P4", "P5"),
        ),
        Key(
            "calendar",
            Type.TEXT,
            "Calendar its time is counted on; 24x7 is always there",
            sample="24x7",
            required=True,
        ),
        Key("coverage", Type.TEXT, "Calendar of covered hours; the same where not given", sample="24x7"),
        Key(
            "response",
            Type.GOAL_MAP,
            "Time to the first response: 15m, 4h, 1bd (business day), 1bd end of day, 15m on CALENDAR",
            default={},
            sample={"P1": "15m", "P2": "30m", "P3": "2h on office", "P4": "4h on office"},
            names=PRIORITIES,
        ),
        Key(
            "plan",
            Type.GOAL_MAP,
            "Time to a plan of resolution",
            default={},
            sample={"P1": "1h"},
            names=PRIORITIES,
        ),
        Key(
            "resolution",
            Type.GOAL_MAP,
            "Time to the resolution",
            default={},
            sample={"P1": "4h", "P2": "8h", "P3": "1bd on office", "P4": "5bd on office"},
            names=PRIORITIES,
        ),
        Key(
            "update",
            Type.GOAL_MAP,
            "Time to our next word, once the client has written; {} for none",
            default=UPDATES,
            names=PRIORITIES,
        ),
        Key(
            "pauses",
            Type.CHOICES_MAP,
            "Status class, or as waiting:vendor on whom, to the targets that stand still in it",
            default=PAUSES,
            choices=TARGETS,
            names=STATUSES,
        ),
        Key(
            "reopen",
            Type.CHOICE,
            "Reopened, the resolution clock goes on (resume), starts anew (restart) or is over (ignore)",
            default="resume",
            choices=("resume", "restart", "ignore"),
        ),
        Key(
            "keep_in_loop", Type.FLAG, "true: the next word is due after our own last one too", default=False
        ),
        Key("plan_statuses", Type.NAMES, "Statuses that meet the plan", default=(), sample=("Plan Set",)),
        Key(
            "warn",
            Type.COUNTS,
            "Per cent of the time at which to warn",
            default=(50, 75, 90, 100),
            low=1,
            high=100,
        ),
    ),
    many=True,
    sample_name="around_the_clock",
    more=(
        (
            "standard",
            {
                "calendar": "office",
                "response": {"P1": "15m", "P2": "1h", "P3": "4h", "P4": "1bd"},
                "resolution": {"P1": "4h", "P2": "8h", "P3": "1bd end of day", "P4": "5bd end of day"},
            },
        ),
    ),
)

TRIAGE = Table(
    "triage",
    "What moves a ticket forward in the queue, before its due time; -1h moves it back",
    (
        Key("priorities", Type.SPAN_MAP, "By priority", sample={"P1": "30d", "P2": "4h"}, names=PRIORITIES),
        Key("replied", Type.SPAN, "The customer has written and has no answer", sample="4h"),
        Key("unanswered", Type.SPAN, "It is new and nobody has looked at it", sample="1h"),
        Key("dependent", Type.SPAN, "For each ticket that hangs on it", sample="1h"),
        Key("clients", Type.SPAN_MAP, "By client", sample={"hvd": "30m"}),
        Key(
            "leave",
            Type.CHOICES,
            "Types that the next-ticket key leaves alone",
            sample=("project",),
            choices=TYPES,
        ),
    ),
)

STORMS = Table(
    "storms",
    "Which tickets and alerts are of one cause",
    (
        Key(
            "window_min",
            Type.COUNT,
            "Minutes between those of a site or provider",
            sample=15,
            low=1,
            high=240,
        ),
        Key(
            "flap_hours",
            Type.COUNT,
            "Hours between those of one device and condition",
            sample=24,
            low=1,
            high=720,
        ),
        Key("at_least", Type.COUNT, "Devices of a site that make a storm", sample=3, low=2, high=100),
        Key("flaps", Type.COUNT, "Times that make a flapping", sample=3, low=2, high=100),
        Key("clients", Type.COUNT, "Clients that make a provider's outage", sample=2, low=2, high=100),
        Key(
            "providers", Type.NAMES, "More carriers, vendors and clouds to know by name", sample=("Metronet",)
        ),
        Key(
            "integrations",
            Type.NAMES,
            "Logins and names of integrations: what they open and write is no human's",
            sample=("ninjaone", "monitoring@msp.example"),
        ),
        Key(
            "reopen_days",
            Type.COUNT,
            "Days after a parent's end in which the same cause proposes to open it again",
            sample=3,
            low=1,
            high=90,
        ),
        Key(
            "on_clear",
            Type.CHOICE,
            "What mspterm does by itself on the ticket of an alert that clears: show (nothing), comment, or"
            " close (what no human touched)",
            sample="show",
            choices=("show", "comment", "close"),
        ),
    ),
)

ESCALATION = Table(
    "escalation",
    "When to propose an escalation, and what it must say",
    (
        Key(
            "unclaimed_after",
            Type.SPAN_MAP,
            "Nobody has taken it after",
            default={"P1": "10m", "P2": "30m"},
            names=PRIORITIES,
        ),
        Key("at_percent", Type.COUNT, "A clock has used up this much", default=75, low=1, high=100),
        Key(
            "percents",
            Type.COUNT_MAP,
            "The same by priority, where it is another",
            default={},
            sample={"P1": 50},
            low=1,
            high=100,
            names=PRIORITIES,
        ),
        Key(
            "tier_after",
            Type.SPAN_MAP,
            'It has been in a tier for, in hours of its policy\'s calendar; "L1 P3" for one priority, 0h for never',
            default={"L1 P1": "30m", "L1 P2": "1h", "L1": "1d", "L2 P1": "2h", "L2 P2": "1d"},
            names=Names("L[1-3]( P[1-5])?", "a tier, L1 to L3, or one with a priority, such as L1 P2"),
        ),
        Key(
            "handoff",
            Type.CHOICES,
            "Parts of the handoff that leaving L1 needs",
            default=("what", "tried"),
            choices=HANDOFF,
        ),
        Key(
            "handoff_chars",
            Type.COUNT,
            "Characters that each of these parts needs at least",
            default=15,
            low=1,
            high=1000,
        ),
    ),
    tables=(
        Table(
            "tiers",
            "Who is behind a tier",
            (
                Key(
                    "members", Type.NAMES, "Its technicians", default=(), sample=("Priya Nair", "Tom Okafor")
                ),
                Key(
                    "phones",
                    Type.TEXT_MAP,
                    "Their phones, in the order to call",
                    default={},
                    sample={"Priya Nair": "+1 555 0182"},
                ),
                Key("hours", Type.TEXT, "Calendar in which they are there", sample="office"),
            ),
            many=True,
            sample_name="L2",
            # Vendors have a table of their own.
            named=TIERS[:3],
        ),
        Table(
            "vendors",
            "Vendors to call",
            (
                Key("phone", Type.TEXT, "Support number", sample="+1 555 0190", required=True),
                Key("contract", Type.TEXT, "Contract number that they ask for", sample="FC-10-88210"),
                Key("hours", Type.TEXT, "Calendar of their support", sample="24x7"),
                Key(
                    "queues",
                    Type.TEXT_MAP,
                    "Connection to the queue for their tickets",
                    default={},
                    sample={"desk": "Vendor"},
                ),
                Key("portal", Type.TEXT, "Where cases are opened", sample="https://support.example.org"),
            ),
            many=True,
            sample_name="fortinet",
        ),
    ),
)
