"""Fixtures that find the shared material and the lab's servers, or skip by name."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mspterm.config.locked import locked
from tests.canary import WATCH
from tests.canary_watch import CanaryPlugin

ROOT = Path(__file__).resolve().parents[1]
LAB = Path(os.environ.get("MSPLAB", "/tmp/msplab"))

# `pytest --hypothesis-profile=thorough tests/domain`: what CI tries a hundred times, ten thousand times.
settings.register_profile(
    "thorough", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def pytest_configure(config: pytest.Config) -> None:
    """No test may show a secret anywhere; `pytest -p no:canary` looks for none."""
    if not config.pluginmanager.is_blocked("canary"):
        config.pluginmanager.register(CanaryPlugin(), "canary")


@pytest.fixture(autouse=True)
def _alone_in_the_lab(request: pytest.FixtureRequest) -> Iterator[None]:
    """Live tests share the lab's servers and agents: one at a time, whichever worker has it."""
    if request.node.get_closest_marker("live") is None:
        yield
        return
    with locked(Path(tempfile.gettempdir()) / "mspterm-lab.lock"):
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of specs, captures and cases beside the project."""
    found = Path(os.environ.get("MSPTERM_SHARED", ROOT.parent / "shared"))
    if not (found / "DESIGN.md").exists():
        pytest.skip("../shared is not here")
    return found


@dataclass(frozen=True, slots=True)
class LabRt:
    url: str
    tokens: dict[str, str]


@dataclass(frozen=True, slots=True)
class LabMesh:
    folder: Path
    url: str
    user: str
    password: str
    nodes: dict[str, str]

    @property
    def ca(self) -> Path:
        return self.folder / "meshcentral-data" / "root-cert-public.crt"


def _listens(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def lab_rt() -> LabRt:
    """Request Tracker from `../shared/lab/start-rt.sh start`."""
    run = LAB / "run" / "rt"
    if not (run / ".seeded").exists():
        pytest.skip("the lab's RT is not here")
    port = int((run / "port").read_text())
    if not _listens(port):
        pytest.skip("the lab's RT is not running")
    tokens: dict[str, str] = json.loads((run / "keys.json").read_text())
    for token in tokens.values():
        WATCH.add(token)
    return LabRt(f"http://127.0.0.1:{port}", tokens)


@pytest.fixture(scope="session")
def lab_mesh() -> LabMesh:
    """MeshCentral from `../shared/lab/start-meshcentral.sh start`."""
    folder = LAB / "meshcentral"
    if not (folder / "lab.json").exists():
        pytest.skip("the lab's MeshCentral is not here")
    lab: dict[str, Any] = json.loads((folder / "lab.json").read_text())
    if not _listens(int(lab["url"].rsplit(":", 1)[1])):
        pytest.skip("the lab's MeshCentral is not running")
    token = lab["token"]
    WATCH.add(token["tokenPass"])
    return LabMesh(folder, lab["url"], token["tokenUser"], token["tokenPass"], lab.get("nodes", {}))
