"""A process that holds credentials leaves no core and shows its memory to nobody."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's prctl")
def test_no_core_and_not_dumpable() -> None:
    code = (
        "import ctypes, resource, subprocess, sys\n"
        "from mspterm.secrets.harden import harden\n"
        "harden()\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))\n"
        "child = 'import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))'\n"
        "sys.stdout.flush(); subprocess.run([sys.executable, '-c', child])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["0 (0, 0)", "1"]
