"""The configuration that makes mspterm use the sandbox, and the secrets that go with it."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex
from typing import Any

import tomli_w

from mspterm.config.kinds import secret_variable
from mspterm.sandbox import catalogue as desk
from mspterm.sandbox.app import Sandbox
from mspterm.sandbox.clients import CLIENTS, Contact

PSA, RMM = "psa", "rmm"
# Names as devices._FIRST makes them.
_FLAGS = {
    "HVD-DC01": ["domain-controller"],
    "HVD-FS01": ["clinical"],
    "KSL-DC01": ["domain-controller"],
    "KSL-HV01": ["hypervisor"],
    "MFL-DC01": ["domain-controller"],
    "OAK-ESX01": ["hypervisor"],
    "OAK-MES01": ["industrial", "call-first"],
    "OAK-SQL01": ["do-not-touch"],
    "SMB-NAS01": ["backup"],
    "SBS-DC01": ["domain-controller"],
    "TCU-DC01": ["domain-controller", "call-first"],
}
_OFFICE = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
_AFTER_HOURS = {"coverage": "office", "rate": "225 an hour, one hour at least"}
_FACTS: dict[str, dict[str, Any]] = {
    "HVD": {"baa": True, "no_patient_data": True, "notice_h": 24},
    "SMB": {**_AFTER_HOURS, "authoriser": "the brewery's owner", "authoriser_phone": "+1 555 0199"},
    # Co-managed: their own IT has the desktops.
    "MFL": {
        "raci": {
            "end-user": {"responsible": "Maple & Finch IT", "approver": "Noor Rahman", "informed": "us"},
            "infrastructure": {"responsible": "us", "informed": "Noor Rahman"},
            "network": {"responsible": "us", "informed": "Noor Rahman"},
        }
    },
}
VENDORS = {
    "dell": {
        "phone": "+1 555 0170",
        "contract": "ProSupport 77-1042",
        "portal": "https://support.dell.example",
    },
    "metronet": {"phone": "+1 555 0171", "contract": "circuit 4411-NE", "hours": "24x7"},
}
_VENDOR_BOARD = next(board.name for board in desk.BOARDS if board.tier == "vendor")
_STATUS_CLASSES = {
    desk.NEW: "new",
    desk.ASSIGNED: "new",
    desk.WORKING: "open",
    desk.REPLIED: "open",
    desk.PLANNED: "open",
    desk.SCHEDULED: "waiting",
    desk.CLIENT: "waiting",
    desk.VENDOR: "waiting",
    desk.PARTS: "waiting",
    desk.APPROVAL: "waiting",
    desk.RESOLVED: "resolved",
    desk.CLOSED: "closed",
}


def document(sandbox: Sandbox, connectwise_url: str, ninjaone_url: str) -> dict[str, Any]:
    """The config as a document."""
    keys = sandbox.connectwise.keys
    return {
        "technician": {"name": desk.ME.name, "email": desk.ME.email, "tier": desk.ME.tier},
        "connections": {
            PSA: {
                "kind": "connectwise",
                "url": connectwise_url,
                "company": keys.company,
                "client_id": keys.client_id,
                "me": desk.ME.identifier,
                # Given by us: a board of ConnectWise has no tier.
                "tiers": {board.name: board.tier for board in desk.BOARDS},
                "status_classes": _STATUS_CLASSES,
                "priorities": {priority.name: priority.sort for priority in desk.PRIORITIES},
                "claim_status": {"*": desk.WORKING},
            },
            RMM: {
                "kind": "ninjaone",
                "url": ninjaone_url,
                "client_id": sandbox.ninjaone.auth.client_id,
                # NinjaOne tells nobody whose login it is.
                "me": desk.ME.name,
            },
        },
        "clients": {
            client.name: {
                "match": [client.code],
                "phones": [client.contacts[0].phone, client.contacts[0].mobile],
                "notes": client.facts,
                "contacts": [f"{c.first} {c.last}, {c.title}" for c in client.contacts],
                "incident_contact": _reached(client.contacts[0]),
                "zone": client.zone,
                "source": "the sandbox",
                "reviewed_on": "2026-11-01",
                **_FACTS.get(client.code, {}),
            }
            for client in CLIENTS
        },
        "calendars": {"office": {"timezone": "America/New_York", "weekly": _OFFICE}},
        "escalation": {
            "tiers": {tier: _team(tier) for tier in ("L1", "L2", "L3")},
            "vendors": {name: {**held, "queues": {PSA: _VENDOR_BOARD}} for name, held in VENDORS.items()},
        },
        "guard": {"flags": _FLAGS},
    }


def _reached(contact: Contact) -> str:
    return f"{contact.first} {contact.last}, {contact.mobile}"


def _team(tier: str) -> dict[str, Any]:
    """Who is on a tier; the first two carry its phone."""
    members = [member for member in desk.MEMBERS if member.tier == tier]
    return {"members": [m.name for m in members], "phones": {m.name: m.phone for m in members[:2]}}


def secrets(sandbox: Sandbox) -> dict[str, str]:
    """The secrets by environment variable, with a journal key of their own."""
    keys, auth = sandbox.connectwise.keys, sandbox.ninjaone.auth
    return {
        secret_variable(PSA, "public_key"): keys.public,
        secret_variable(PSA, "private_key"): keys.private,
        secret_variable(RMM, "client_secret"): auth.client_secret,
        secret_variable(RMM, "refresh_token"): auth.refresh_token,
        # Given, so that a demo never asks the user's own keyring for one.
        secret_variable("journal", "key"): token_hex(32),
    }


def write(path: Path, sandbox: Sandbox, connectwise_url: str, ninjaone_url: str) -> None:
    """Writes FILE and, readable by its owner only, FILE.env. Raises OSError."""
    lines = "".join(f"export {name}={value}\n" for name, value in secrets(sandbox).items())
    _write_private(path.with_name(path.name + ".env"), lines.encode())
    _write_private(path, tomli_w.dumps(document(sandbox, connectwise_url, ninjaone_url)).encode())


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with open(os.open(path, flags, 0o600), "wb") as file:
        # The mode above is for a new file only.
        path.chmod(0o600)
        file.write(content)
