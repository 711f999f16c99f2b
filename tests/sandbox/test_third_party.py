"""A public client of ConnectWise works on the sandbox: it is no mirror of our own connector."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("third_party.py")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with pyconnectwise in it."""
    folder = tmp_path_factory.mktemp("pyconnectwise")
    venv.create(folder, with_pip=True)
    made = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    argv = [str(made), "-m", "pip", "install", "-q", "--disable-pip-version-check", "pyconnectwise==0.6.1.2"]
    if subprocess.run(argv, capture_output=True, timeout=110).returncode:
        pytest.skip("pyconnectwise can't be installed here")
    return made


@pytest.mark.slow
def test_pyconnectwise_lists_and_patches_tickets(python: Path, tmp_path: Path) -> None:
    config = tmp_path / "sandbox.toml"
    argv = [sys.executable, "-m", "mspterm.sandbox", "--config-out", str(config), "--still"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("ready")
            said = config.read_text() + Path(f"{config}.env").read_text()
            names = {
                "SANDBOX": r'url = "([^"]+)"',
                "COMPANY": r'company = "([^"]+)"',
                "CLIENT_ID": r'client_id = "([^"]+)"',
                "PUBLIC": r"PSA_PUBLIC_KEY=(\S+)",
                "PRIVATE": r"PSA_PRIVATE_KEY=(\S+)",
            }
            found = {name: re.search(pattern, said) for name, pattern in names.items()}
            env = {**os.environ, **{name: match[1] for name, match in found.items() if match}}
            done = subprocess.run([python, SCRIPT], env=env, capture_output=True, text=True, timeout=60)
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "25 Patched by pyconnectwise / Patched by pyconnectwise\n"
