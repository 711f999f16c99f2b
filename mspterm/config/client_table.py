"""The keys of a client's facts: in `[clients.NAME]`, and in its file of `clients_dir`."""

from __future__ import annotations

from mspterm.config.keys import Key, Names, Type

RACI = ("responsible", "accountable", "consulted", "informed", "approver")
SERVICE_LINES = Names(
    "infrastructure|security|cloud|end-user|network|co-managed",
    "a service line: infrastructure, security, cloud, end-user, network or co-managed",
)

# Names are fields of model.Client, which takes the values by keyword.
FACTS = (
    Key("phones", Type.NAMES, "Phones to call, best first", default=(), sample=("+1 555 0100",)),
    Key(
        "notes", Type.TEXT, "What the on-call engineer must know", sample="Server room key at the front desk"
    ),
    Key("agreement", Type.TEXT, "Agreement, where the PSA doesn't tell", sample="Managed Care 8x5"),
    Key("plan", Type.TEXT, "Level of the agreement", sample="Gold"),
    Key(
        "covers",
        Type.NAMES,
        "All that the agreement covers: service lines, categories, types or queues; everything if empty",
        default=(),
        sample=("infrastructure", "end-user"),
    ),
    Key("excludes", Type.NAMES, "What it doesn't cover", default=(), sample=("project", "Printers")),
    Key("coverage", Type.TEXT, "Calendar of its hours; the policy's where not given", sample="office"),
    Key("rate", Type.TEXT, "Rate for what is out of scope or hours", sample="USD 225 an hour"),
    Key("authoriser", Type.TEXT, "Who may authorise that", sample="Dana Cole"),
    Key("authoriser_phone", Type.TEXT, "Their phone", sample="+1 555 0101"),
    Key("zone", Type.ZONE, "Zone of the client's wall times", sample="America/New_York"),
    Key("windows", Type.TEXT, "Calendar of its maintenance windows", sample="office"),
    Key(
        "freezes",
        Type.PERIODS,
        "Dates, first to last, on which nothing is changed, and why",
        default=(),
        sample=("2026-12-18 to 2027-01-04: year end",),
    ),
    Key("contacts", Type.NAMES, "People to ask", default=(), sample=("Dana Cole, office manager",)),
    Key("sites", Type.TEXT_MAP, "Site to address and circuit", default={}, sample={"Main": "12 Quay St"}),
    Key("access", Type.NAMES, "How to get in; links, never a password", default=(), sample=("IT Glue: HVD",)),
    Key("carrier", Type.TEXT, "Whose internet line it has, to group outages", sample="Comcast"),
    Key(
        "raci",
        Type.TEXT_MAPS,
        f"Service line to its {', '.join(RACI[:-1])} and {RACI[-1]}",
        default={},
        sample={"network": {"responsible": "HVD IT", "approver": "Sam Reyes, +1 555 0102"}},
        choices=RACI,
        names=SERVICE_LINES,
    ),
    Key("baa", Type.FLAG, "true where a business-associate agreement binds us (HIPAA)", default=False),
    Key("no_patient_data", Type.FLAG, "true bars patient data from notes", default=False),
    Key(
        "bodies",
        Type.CHOICE,
        "none: its descriptions and notes are never on this disk, but asked for each time; or keep",
        default="keep",
        choices=("keep", "none"),
    ),
    Key("incident_contact", Type.TEXT, "Who is told of a security incident", sample="Sam Reyes, +1 555 0102"),
    Key("notice_h", Type.COUNT, "Hours in which an incident must be told", sample=24, low=1, high=720),
    Key("source", Type.TEXT, "Where these facts come from", sample="IT Glue, HVD overview"),
    Key("reviewed_on", Type.DATE, "When somebody checked them", sample="2026-10-01"),
)
