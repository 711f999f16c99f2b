"""What Request Tracker can do here, importable without httpx."""

from __future__ import annotations

from mspterm.connectors.base import Capability, Manifest

YES = Capability(True)

MANIFEST = Manifest(
    kind="rt",
    title="Request Tracker 5",
    serves="psa",
    settings=("url",),
    secrets=("token",),
    poll_s=30.0,
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
        "parent": YES,
        "mail": Capability(False, "RT's scrips decide who gets mail; REST 2.0 can't say it for one text."),
        "resolution": Capability(False, "RT has no resolution note; it is sent as correspondence."),
        "co-managed": Capability(False, "RT has no co-managed note; it is kept as a comment."),
    },
    # RT::Action::SLA_SetDue: only correspondence counts as a reply, and one Due serves both targets.
    meets={
        "claim": "none: RT's response clock stops at the first reply to the client, not at owner or status",
        "reply": "response: RT moves Due on to the resolution target",
        "resolve": "resolution",
        "mail public": "RT mails it by its scrips",
        "mail resolution": "RT mails it by its scrips",
        "mail status": "RT's own scrip mails requestors when a ticket is resolved, where its queue has that",
        "due": "RT keeps one Due, the nearer of its two targets; it is shown as the resolution target.",
    },
)
