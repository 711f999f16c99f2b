"""What ConnectWise PSA can do here, importable without httpx."""

from __future__ import annotations

from mspterm.connectors.base import Capability, Manifest
from mspterm.domain.budget import Limit

YES = Capability(True)
_MAILED = "mailed to contact, resources and Cc as the ticket's own e-mail boxes say"

MANIFEST = Manifest(
    kind="connectwise",
    title="ConnectWise PSA",
    serves="psa",
    settings=("url", "company", "client_id"),
    secrets=("public_key", "private_key"),
    poll_s=30.0,
    # No hard number: "more than 1,000 requests a minute will likely experience rate limiting"
    # (ConnectWise developer guide).
    limit=Limit(1000, 60.0),
    can={
        "new": YES,
        "note": YES,
        "reply": YES,
        "update": YES,
        "claim": YES,
        "time": YES,
        "status": YES,
        "assign": YES,
        "priority": YES,
        "queue": YES,
        "escalate": YES,
        "next": YES,
        "mail": YES,
        "mail choice": YES,
        "resolution": YES,
        "parent": YES,
        "co-managed": Capability(
            False, "ConnectWise has no co-managed note; its internal ones are technicians'"
        ),
        "merge": Capability(False, "a merge can't be undone; mspterm makes children of them, which can"),
    },
    # A status's escalationStatus is what stamps dateResponded, dateResplan and dateResolved.
    meets={
        "claim": "response, by a status whose escalation stage is Responded; the owner alone stops no clock",
        "reply": "none: ConnectWise stamps its targets by the status, not by a note",
        "resolve": "resolution, by a status whose escalation stage is Resolved",
        "new": "none: its clocks start",
        "mail public": _MAILED,
        "mail resolution": _MAILED,
        "mail internal": "not mailed",
        "close parent": "a ConnectWise that is set so closes bundled children by itself, whoever has them",
        "mail status": "a workflow rule of ConnectWise may mail, by its own settings",
    },
)
