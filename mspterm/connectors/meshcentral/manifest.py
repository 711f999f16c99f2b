"""What MeshCentral can do for us, importable without the websocket or any wire type."""

from __future__ import annotations

from mspterm.connectors.base import Capability, Manifest

MANIFEST = Manifest(
    kind="meshcentral",
    title="MeshCentral",
    serves="rmm",
    settings=("url", "username", "domain"),
    secrets=("password",),
    push=True,
    can={
        "devices": Capability(True),
        "telemetry": Capability(True),
        "run": Capability(True),
        "reboot": Capability(True),
        "terminal": Capability(True),
        "device_notes": Capability(True),
        "alerts": Capability(False, "MeshCentral raises no alerts"),
        "patches": Capability(False, "MeshCentral does not know the state of patches"),
        "checks": Capability(False, "MeshCentral runs no checks"),
        "maintenance": Capability(False, "MeshCentral has no maintenance mode"),
        "new": Capability(False, "MeshCentral is not a ticketing system"),
        "note": Capability(False, "MeshCentral is not a ticketing system"),
    },
)
