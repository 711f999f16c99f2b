"""The canary itself: in a test run of its own, each way to show a secret is found, and what is clean is not."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import HELD_ON_PURPOSE, TEXT, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

ROOT = Path(__file__).resolve().parents[1]
CONFTEST = """
from tests.canary import WATCH
from tests.canary_watch import CanaryPlugin
WATCH.add("made-up-secret")
def pytest_configure(config):
    config.pluginmanager.register(CanaryPlugin(), "canary")
"""
LEAKS = """
import logging, os, subprocess, sys
import pytest
from tests.terminal.pty_harness import Terminal
SECRET = "made-up-" + "secret"
LOOK = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]

def test_file(tmp_path):
    (tmp_path / "leak").write_text(SECRET)

@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return tmp_path_factory.mktemp("several")

def test_output(): print(SECRET)
def test_log(): logging.getLogger("x").warning("token %s", SECRET)
def test_argv(): subprocess.run([*LOOK, "sh", "-c", "sleep 0.3; # " + SECRET])
def test_environment(): subprocess.run([*LOOK, "sleep", "0.3"], env={**os.environ, "X": SECRET})
def test_start_by_ours():
    ours = {"__name__": "mspterm.made_up", "subprocess": subprocess, "env": {"X": SECRET}}
    exec("subprocess.run(['/bin/true'], env=env)", ours)
def test_terminal():
    with Terminal(["/bin/echo", SECRET]) as terminal:
        terminal.wait_end()
def test_mspterm_that_prints(monkeypatch):
    monkeypatch.setenv("MSPTERM_SECRET_X_TOKEN", SECRET)
    subprocess.run([sys.executable, "-c", "import os; print(os.environ['MSPTERM_SECRET_X_TOKEN'])",
                    "-m", "mspterm"], capture_output=True)
def test_clean_1(tmp_path):
    (tmp_path / "a").write_text("nothing")
    subprocess.run([*LOOK, "sleep", "0.1"])
def test_clean_2():
    subprocess.run(["/bin/echo", SECRET], capture_output=True, env={"X": SECRET})
def test_shared_by_several(several):
    (several / "leak").write_text(SECRET)
"""


def test_every_way_to_show_a_secret_fails_its_test(tmp_path: Path) -> None:
    for name, text in (("conftest.py", CONFTEST), ("test_leaks.py", LEAKS), ("pytest.ini", "[pytest]\n")):
        (tmp_path / name).write_text(text)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rEp"]
    done = subprocess.run(
        [*argv, f"--basetemp={tmp_path / 'base'}", "test_leaks.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = set(re.findall(r"^ERROR test_leaks.py::test_(\w+)", done.stdout, re.MULTILINE))
    leaks = set(re.findall(r"^def test_(\w+)", LEAKS, re.MULTILINE)) - {"clean_1", "clean_2"}
    assert told == leaks, done.stdout


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_it_is_found_in_base64_as_basic_authorization_has_it(before: str) -> None:
    watch = Watch()
    watch.look(base64.b64encode(f"{before}:x{TEXT}yz".encode()), "header")
    assert len(watch.taken()) == 1
    assert watch.taken() == []


def test_a_file_held_on_purpose_is_passed_over_by_its_name_alone(tmp_path: Path) -> None:
    pattern = next(iter(HELD_ON_PURPOSE))
    held = tmp_path / pattern.replace("*", "0")
    held.parent.mkdir()
    for file in (held, held.with_name("other")):
        file.write_text(TEXT)
    watch = Watch()
    watch.look_at_files(tmp_path, tmp_path)
    # This test's own folder is looked at as well.
    held.with_name("other").unlink()
    held.unlink()
    assert [found.split(":")[0] for found in watch.taken()] == [f"file {held.parent.name}/other"]
