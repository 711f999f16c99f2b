"""What NinjaOne can do here, importable without httpx."""

from __future__ import annotations

from mspterm.connectors.base import Capability, Manifest

YES = Capability(True)
NO_LIVE = "NinjaOne's API has no CPU or memory readings, only alerts on thresholds"
ONLY_SCRIPTS = "NinjaOne runs the scripts of its library, not a command line"

MANIFEST = Manifest(
    kind="ninjaone",
    title="NinjaOne",
    serves="rmm",
    settings=("url", "client_id", "redirect_port"),
    secrets=("client_secret", "refresh_token"),
    poll_s=30.0,
    # Version 2 of its API has no published limit: calls are counted from the first 429 on.
    can={
        "devices": YES,
        "alerts": YES,
        "patches": YES,
        "services": YES,
        "run": YES,
        "script": YES,
        "reboot": YES,
        "maintenance": YES,
        "resolve alert": YES,
        "command": Capability(False, ONLY_SCRIPTS),
        "telemetry": Capability(False, NO_LIVE),
        "checks": Capability(
            False, "NinjaOne lists no checks, only the conditions that are met now: its alerts"
        ),
        "acknowledge alert": Capability(False, "NinjaOne knows only the reset of an alert"),
        "device_notes": Capability(False, "NinjaOne's notes are read-only in its API"),
        "new": Capability(False, "NinjaOne's own ticketing is not used here"),
        "note": Capability(False, "NinjaOne's own ticketing is not used here"),
    },
)
