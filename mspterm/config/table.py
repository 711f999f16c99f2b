"""The one table of every key in the config file."""

from __future__ import annotations

from mspterm.config.client_table import FACTS
from mspterm.config.keys import Key, Table, Type
from mspterm.config.sla_table import ESCALATION, SLA, STORMS, TIERS, TRIAGE
from mspterm.config.ssh_table import SSH

STATUS_CLASSES = ("new", "open", "waiting", "resolved", "closed")
FLAGS = (
    "do-not-touch",
    "call-first",
    "clinical",
    "industrial",
    "domain-controller",
    "hypervisor",
    "backup",
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

TOP = (
    Key(
        "clients_dir",
        Type.PATH,
        "Shared directory of client facts, kept by its owner; it overrides what this file says",
        sample="/srv/msp/clients",
    ),
)

# Names are fields of model.Connection; what only one kind has is in kinds.py.
CONNECTION = (
    Key("enabled", Type.FLAG, "false leaves the connection out without deleting it", default=True),
    Key("me", Type.TEXT, "My login or id there, where the credential doesn't tell", sample="ines"),
    Key(
        "identity",
        Type.CHOICE,
        "Whose name writes carry: personal, impersonated or shared",
        default="personal",
        choices=("personal", "impersonated", "shared"),
    ),
    Key("read_only", Type.FLAG, "true refuses every write to this connection", default=False),
    Key("timeout_s", Type.SECONDS, "Longest wait for one answer, in seconds", default=20.0, low=1, high=300),
    Key(
        "poll_s",
        Type.SECONDS,
        "Seconds between polls; the kind's own pace where not given",
        sample=30,
        low=1,
        high=86400,
    ),
    Key(
        "ca_bundle", Type.PATH, "PEM file of a private CA, trusted besides the system's", sample="corp-ca.pem"
    ),
    Key("client_cert", Type.PATH, "PEM file of a client certificate", sample="client.pem"),
    Key("client_key", Type.PATH, "PEM file of its key, readable by you alone", sample="client.key"),
    Key(
        "proxy",
        Type.PROXY,
        "Proxy for this connection, without credentials",
        sample="http://proxy.example.org:3128",
    ),
    Key(
        "client_from",
        Type.TEXT,
        "Field, group or custom field that holds the client",
        sample="cf:Client",
        serves="psa",
    ),
    Key(
        "next_from",
        Type.TEXT,
        "Where the next-action date is kept",
        sample="cf:Next action",
        serves="psa",
    ),
    Key(
        "queues",
        Type.NAMES,
        "Only these queues are read; all where none is named",
        default=(),
        sample=("Help Desk", "Tier 2"),
        serves="psa",
    ),
    Key(
        "active",
        Type.NAMES,
        "Statuses that count as active; the kind's own where empty",
        default=(),
        sample=("new", "open", "stalled"),
        serves="psa",
    ),
    Key(
        "status_classes",
        Type.CHOICE_MAP,
        "What a status means: new, open, waiting, resolved or closed",
        default={},
        sample={"stalled": "waiting"},
        choices=STATUS_CLASSES,
        serves="psa",
    ),
    Key(
        "priorities",
        Type.COUNT_MAP,
        "The vendor's priority to ours, 1 (highest) to 5",
        default={},
        sample={"High": 2, "Medium": 3, "Low": 4},
        low=1,
        high=5,
        serves="psa",
    ),
    Key(
        "tiers",
        Type.CHOICE_MAP,
        "Queue to tier: L1, L2, L3 or vendor",
        default={},
        sample={"Help Desk": "L1", "Tier 2": "L2"},
        choices=TIERS,
        serves="psa",
    ),
    Key(
        "psa_due",
        Type.FLAG,
        "false leaves out its own due times, where nobody keeps its SLAs: [sla.*] counts alone",
        default=True,
        serves="psa",
    ),
    Key(
        "claim_status",
        Type.TEXT_MAP,
        "Queue (or *) to the status that a claim sets, so that the response clock stops",
        default={},
        sample={"*": "open"},
        serves="psa",
    ),
)

# The order is that of the example and of `config show`.
TABLES = (
    Table(
        "technician",
        "The person at the console",
        (
            Key("name", Type.TEXT, "Name, for the journal and for shared identities", sample="Ines Duarte"),
            Key("email", Type.TEXT, "Mail address", sample="ines@msp.example"),
            Key("tier", Type.CHOICE, "Own tier: L1, L2 or L3", sample="L2", choices=TIERS[:3]),
        ),
    ),
    Table(
        "console",
        "How the console looks and behaves",
        (
            Key("theme", Type.TEXT, "Colour theme", default="dark"),
            Key("view", Type.TEXT, "View that it opens on", default="all"),
            Key("mouse", Type.FLAG, "true lets the terminal send the mouse", default=False),
            Key("bell", Type.FLAG, "false silences the bell", default=True),
            Key(
                "notify",
                Type.FLAG,
                "false: no desktop notification (OSC 9) when more is on fire",
                default=True,
            ),
            Key(
                "resume_hours",
                Type.COUNT,
                "Hours within which it comes back as it was left: view, filter, marks; 0: never",
                default=12,
                low=0,
                high=168,
            ),
            Key("signature", Type.TEXT, "Closing line of replies to clients", sample="Ines, MSP Example"),
        ),
    ),
    Table(
        "keys",
        "Keys of the console by command; see the help screen for the names",
        entries=Key("claim", Type.TEXT, "Key of the command", sample="c"),
    ),
    Table(
        "views",
        "Tabs of the queue",
        (
            Key("title", Type.TEXT, "Title on the tab; the name where not given", sample="P1 infrastructure"),
            Key("filter", Type.TEXT, "Filter that it shows", sample="p:1 !status:waiting", required=True),
        ),
        many=True,
        sample_name="p1",
    ),
    Table(
        "clients",
        "One client of several connections, and its facts",
        (
            Key(
                "match",
                Type.NAMES,
                "Its names in the connections",
                default=(),
                sample=("Harbor View Dental", "HVD"),
            ),
            *FACTS,
        ),
        many=True,
        sample_name="hvd",
    ),
    Table(
        "guard",
        "Limits of one action, and devices that need care",
        (
            # The caps of security.md 2.4: one slip, or one stolen token, must not reach every client.
            Key("max_devices", Type.COUNT, "Devices that one action may touch", default=5, low=1, high=1000),
            Key("max_clients", Type.COUNT, "Clients that one action may touch", default=1, low=1, high=100),
            Key(
                "max_disruptive_per_hour",
                Type.COUNT,
                "Commands and restarts of one user in an hour",
                default=20,
                low=0,
                high=10000,
            ),
            Key(
                "enter_minutes",
                Type.COUNT,
                "Minutes that a client stays entered in the console",
                default=60,
                low=1,
                high=720,
            ),
            Key(
                "allow_shared",
                Type.FLAG,
                "true lets connections with a shared identity write; each text is then signed",
                default=False,
            ),
            Key(
                "break_glass",
                Type.FLAG,
                "false: nobody goes above the caps alone, with a reason and a review; under a policy, its word",
                default=True,
            ),
            Key(
                "free_text_tiers",
                Type.CHOICES,
                "Tiers that may type command lines and open sessions; others run scripts of the library",
                default=TIERS[:3],
                choices=TIERS[:3],
            ),
            Key(
                "free_text_max_devices",
                Type.COUNT,
                "Devices that one command line may go to; a library's script has max_devices",
                default=5,
                low=0,
                high=1000,
            ),
            Key(
                "approvers",
                Type.KEY_MAP,
                "Who may sign plans above the caps, with the key of `mspterm approve --init`",
                default={},
                sample={"Marcus Bell": "rvqpYSpsEpK8RZBVMPLkmYi3NYsCV6L7yxqhPHG3ehQ="},
            ),
            Key(
                "verify_first",
                Type.NAMES,
                "Words of tickets and commands that are account work: only for a verified caller; [] for none",
                default=(
                    *("password", "MFA", "2FA", "authenticator", "locked out", "unlock"),
                    *("access request", "access change", "leaver", "new starter"),
                ),
            ),
            Key(
                "flags",
                Type.CHOICES_MAP,
                f"Device to its flags: {', '.join(FLAGS)}",
                default={},
                sample={"HVD-DC01": ("domain-controller",)},
                choices=FLAGS,
            ),
        ),
    ),
    Table(
        "journal",
        "The record of every write",
        (
            Key(
                "head_file",
                Type.PATH,
                "File on another host or volume for its head, where no keyring can keep it",
                sample="/mnt/audit/mspterm.head",
            ),
            Key(
                "keep_texts",
                Type.FLAG,
                "true keeps the texts themselves in it, not only their keyed hash",
                default=False,
            ),
        ),
    ),
    Table(
        "store",
        "What was last known, on this disk",
        (
            Key(
                "keep_days",
                Type.COUNT,
                "Days that closed tickets, and conversations nobody opens, are kept",
                default=14,
                low=1,
                high=3650,
            ),
        ),
    ),
    Table(
        "calendars",
        "Hours of coverage",
        (
            Key("timezone", Type.ZONE, "Zone of its wall times", sample="America/New_York", required=True),
            Key(
                "weekly",
                Type.WEEK,
                "Open hours by weekday, mon to sun",
                default={},
                sample={"mon": (("09:00", "17:00"),)},
            ),
            Key("holidays", Type.DATES, "Closed dates", default=(), sample=("2026-12-25",)),
            Key(
                "breaks",
                Type.DAYS,
                "Closed hours on a date",
                default={},
                sample={"2026-12-24": (("12:00", "24:00"),)},
            ),
            Key(
                "shifts",
                Type.DAYS,
                "Hours that replace the weekly ones on a date",
                default={},
                sample={"2026-12-31": (("09:00", "12:00"),)},
            ),
        ),
        many=True,
        sample_name="office",
    ),
    SLA,
    TRIAGE,
    STORMS,
    ESCALATION,
    SSH,
)
