"""The sandbox as a process: what it writes, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from mspterm.config.load import load

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@contextmanager
def running(*arguments: str, code: str | None = None) -> Iterator[subprocess.Popen[str]]:
    """A sandbox in a process, with a pipe to it; ended with the test."""
    command = [sys.executable, *(("-c", code) if code else ("-m", "mspterm.sandbox")), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def ready(process: subprocess.Popen[str], config: Path) -> list[str]:
    """Waits for the line that says so; the addresses that are served."""
    assert process.stdout is not None
    assert process.stdout.readline() == f"ready {config}\n"
    return [connection.url for connection in load(config).connections.values()]


def refuses(url: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0


def test_what_it_writes_makes_a_client_work(tmp_path: Path) -> None:
    config = tmp_path / "demo.toml"
    with running("--config-out", str(config), "--still") as process:
        urls = ready(process, config)
        loaded = load(config)
        secrets = dict(
            line.removeprefix("export ").split("=", 1)
            for line in (tmp_path / "demo.toml.env").read_text().splitlines()
        )
        psa = loaded.connections["psa"]
        auth = (
            f"{psa.settings['company']}+{secrets['MSPTERM_SECRET_PSA_PUBLIC_KEY']}",
            secrets["MSPTERM_SECRET_PSA_PRIVATE_KEY"],
        )
        headers = {"clientId": psa.settings["client_id"]}
        boards = httpx.get(f"{urls[0]}/v2025_1/apis/3.0/service/boards", auth=auth, headers=headers)
        form = {
            "grant_type": "refresh_token",
            "client_id": loaded.connections["rmm"].settings["client_id"],
            "refresh_token": secrets["MSPTERM_SECRET_RMM_REFRESH_TOKEN"],
        }
        token = httpx.post(f"{urls[1]}/ws/oauth/token", data=form)
    assert (boards.status_code, token.status_code) == (200, 200)
    assert len(secrets["MSPTERM_SECRET_JOURNAL_KEY"]) == 64
    assert {"Harborview Dental Group", "Kestrel Logistics"} <= loaded.clients.keys()
    assert not any(value in config.read_text() for value in secrets.values())


@POSIX
def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    config, beside = tmp_path / "demo.toml", tmp_path / "demo.toml.env"
    beside.write_text("old")
    beside.chmod(0o644)
    with running("--config-out", str(config)) as process:
        ready(process, config)
        assert beside.stat().st_mode & 0o777 == 0o600


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_ports(tmp_path: Path, number: int) -> None:
    config = tmp_path / "demo.toml"
    with running("--config-out", str(config)) as process:
        urls = ready(process, config)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
    assert all(refuses(url) for url in urls)


def test_tied_it_ends_when_its_pipe_closes_and_takes_the_scratch_with_it(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    config = scratch / "demo.toml"
    with running("--config-out", str(config), "--tied", "--scratch", str(scratch)) as process:
        urls = ready(process, config)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
    assert all(refuses(url) for url in urls)
    assert not scratch.exists()


_PARENT = """
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-m", "mspterm.sandbox", "--tied", *sys.argv[1:]], stdin=subprocess.PIPE,
    start_new_session=True)
sys.stdin.read()
"""


@POSIX
def test_tied_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The child's stdout is the test's pipe: its end is the child's end."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    config = scratch / "demo.toml"
    with running("--config-out", str(config), "--scratch", str(scratch), code=_PARENT) as parent:
        urls = ready(parent, config)
        parent.kill()
        assert parent.stdout is not None
        assert parent.stdout.read() == ""
    assert all(refuses(url) for url in urls)
    assert not scratch.exists()


def test_a_scenario_that_is_wrong_is_a_usage_error(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[event]]\nat = "soon"\nkind = "call"\n')
    command = [
        sys.executable,
        "-m",
        "mspterm.sandbox",
        "--config-out",
        str(tmp_path / "x"),
        "--scenario",
        str(wrong),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"mspterm: {wrong}: event 1: at is a number of seconds")
    assert not (tmp_path / "x").exists()


@POSIX
def test_the_verb_is_the_servers_process(tmp_path: Path) -> None:
    config = tmp_path / "demo.toml"
    code = "from mspterm.main import main; main()"
    options = ("--tickets", "5", "--devices", "3", "--seed", "4", "--speed", "60", "--still")
    with running("sandbox", "--config-out", str(config), *options, code=code) as process:
        urls = ready(process, config)
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM
    assert all(refuses(url) for url in urls)


@pytest.mark.parametrize("wrong", [("--tickets", "0"), ("--speed", "0"), ("--seed", "x"), ("--loud",)])
def test_options_that_make_no_sense_are_usage_errors(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "mspterm", "sandbox", "--config-out", str(tmp_path / "x"), *wrong]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 2


def test_only_one_connection_is_answered_at_its_port(tmp_path: Path) -> None:
    config = tmp_path / "demo.toml"
    with running("--config-out", str(config)) as process:
        psa, rmm = ready(process, config)
        assert httpx.get(f"{psa}/v2/devices").status_code == 404
        assert httpx.get(f"{rmm}/v2/devices").status_code == 401
        assert httpx.get(f"{rmm}/login/companyinfo/northgate").status_code == 404
