"""What is imported when: the budget of a start is its imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mspterm.cli.root import VERBS

LATE = ("textual", "httpx", "asyncio", "rich", "keyring", "msgspec", "websockets", "sqlite3")


def imported(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_click_and_nothing_heavy() -> None:
    code = "import mspterm.main\nfrom mspterm.cli.root import cli, Launcher\n"
    code += (
        "try: cli.main(['--help'], prog_name='mspterm', obj=Launcher(lambda o: 0))\nexcept SystemExit: pass"
    )
    modules = imported(code)
    assert "click" in modules
    assert not [m for m in LATE if m in modules]


@pytest.mark.parametrize("module", sorted({entry[0] for entry in VERBS.values()}))
def test_no_verb_imports_textual(module: str) -> None:
    modules = imported(f"import importlib\nimportlib.import_module({module!r})")
    assert not [m for m in modules if m.split(".")[0] == "textual"]
    assert not [m for m in modules if m.startswith("mspterm.console")]


def test_connectors_and_desk_import_no_textual() -> None:
    code = "import mspterm.desk.perform, mspterm.desk.planner, mspterm.desk.sync\n"
    code += "import mspterm.connectors.rt.connector, mspterm.connectors.meshcentral.connector"
    assert not [m for m in imported(code) if m.split(".")[0] == "textual"]


def test_the_domain_imports_the_standard_library_only() -> None:
    code = (
        "import pkgutil, importlib, mspterm.domain as d\n"
        "for m in pkgutil.iter_modules(d.__path__): importlib.import_module('mspterm.domain.' + m.name)"
    )
    outside = {m.split(".")[0] for m in imported(code) - imported("pass")} - set(sys.stdlib_module_names)
    assert {m for m in outside if not m.startswith("_")} <= {"mspterm"}


def test_manifests_are_light() -> None:
    modules = imported("import mspterm.connectors.rt.manifest, mspterm.connectors.meshcentral.manifest")
    assert not [m for m in ("httpx", "msgspec", "websockets") if m in modules]


def test_the_first_frame_imports_only_what_it_shows() -> None:
    """Dataclasses by the dozen cost milliseconds each: what is needed later is imported later."""
    modules = imported("import mspterm.console.start, mspterm.console.app")
    late = ("msgspec", "httpx", "keyring", "websockets", "click", "uvicorn", "pyte")
    ours = ("domain.action", "domain.ticket", "domain.device", "domain.ssh", "desk.desk", "store.tickets")
    assert not [m for m in (*late, *(f"mspterm.{name}" for name in ours)) if m in modules]
