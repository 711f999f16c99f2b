"""What keyctl is given, seen from keyctl: nothing in its arguments or environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mspterm.domain.secret import Secret
from mspterm.secrets.kernel_keyring import NO_TOOL, NOT_KEPT, KernelKeyring

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs")

TOOL = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "seen").open("a") as seen:
    seen.write(json.dumps([sys.argv[1:], sorted(os.environ.items())]) + "\\n")
what = sys.argv[1]
if what == "padd":
    (folder / "held").write_text(sys.stdin.read()); print(7)
elif what == "search" and (folder / "held").exists():
    print(7)
elif what == "pipe":
    sys.stdout.write((folder / "held").read_text())
elif what == "unlink":
    (folder / "held").unlink()
elif what == "search":
    sys.exit(1)
"""


@pytest.fixture
def cache(tmp_path: Path) -> KernelKeyring:
    tool = tmp_path / "keyctl"
    tool.write_text(TOOL.format(python=sys.executable, folder=str(tmp_path)))
    tool.chmod(0o700)
    return KernelKeyring(str(tool))


def test_the_secret_goes_by_stdin_alone(
    cache: KernelKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSPTERM_SECRET_DESK_TOKEN", "CANARY")
    assert cache.keep("mspterm:identity:x", Secret("CANARY"), 60) is None
    assert cache.fetch("mspterm:identity:x") == Secret("CANARY")
    calls = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    assert [call[0][0] for call in calls][:3] == ["padd", "setperm", "timeout"]
    assert ["timeout", "7", "60"] in [call[0] for call in calls]
    assert "CANARY" not in json.dumps(calls)


def test_what_is_dropped_is_gone(cache: KernelKeyring) -> None:
    cache.keep("n", Secret("x"), 60)
    assert cache.drop("n")
    assert cache.fetch("n") is None
    assert not cache.drop("n")


def test_a_host_without_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KernelKeyring("/nonexistent/keyctl").keep("n", Secret("x"), 60) == NOT_KEPT
    monkeypatch.setenv("PATH", "/nonexistent")
    if sys.platform == "linux":
        assert KernelKeyring().keep("n", Secret("x"), 60) == NO_TOOL
