"""A person's login by the browser, against the sandbox's NinjaOne."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

assert sys.platform != "win32"

from tests.cli.test_auth_backends import MSPTERM, PASSPHRASE, Home, needs_kernel_keyring  # noqa: E402
from tests.terminal.pty_harness import Terminal  # noqa: E402


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def home(tmp_path: Path, port: int) -> Iterator[Home]:
    """A home whose `rmm` is the sandbox's, with the machine's secret in the environment."""
    made = Home(tmp_path / "home", "http://127.0.0.1:9")
    config = tmp_path / "sandbox.toml"
    argv = [*MSPTERM, "sandbox", "--config-out", str(config), "--still", "--tickets", "1", "--devices", "1"]
    server = subprocess.Popen(argv, env=made.env, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("ready ")
        text = config.read_text().replace("[connections.rmm]", f"[connections.rmm]\nredirect_port = {port}")
        made.auth.with_name("config.toml").write_text(text)
        given = re.findall(
            r"export (MSPTERM_SECRET_RMM_CLIENT_SECRET)=(.*)", Path(f"{config}.env").read_text()
        )
        made.env |= {name: value.strip("'\"") for name, value in given}
        made("auth", "move", "--to", "age", "--stdin", stdin=f"{PASSPHRASE}\n")
        yield made
        made("auth", "lock")
    finally:
        server.kill()
        server.communicate()


def page(terminal: Terminal) -> str:
    """The address that is to be opened."""
    terminal.wait_for("or paste here the address")
    found = re.search(rb"http://\S+/ws/oauth/authorize\S+", bytes(terminal.sent))
    assert found is not None
    return found[0].decode()


def test_what_the_browser_brings_is_stored(home: Home) -> None:
    needs_kernel_keyring(home)
    with Terminal([*MSPTERM, "auth", "login", "rmm", "--browser"], env=home.env) as terminal:
        url = page(terminal)
        assert parse_qs(urlsplit(url).query)["code_challenge_method"] == ["S256"]
        assert "close this page" in httpx.get(url, follow_redirects=True).text
        assert terminal.wait_end() == 0
    assert home.where()["rmm:refresh_token"] == "age"
    assert "rmm: acts as Ines Duarte (Ines Duarte, personal)" in home("auth", "test", "rmm").out


def test_an_address_of_another_login_is_not_taken_and_a_pasted_one_is(home: Home, port: int) -> None:
    needs_kernel_keyring(home)
    with Terminal([*MSPTERM, "auth", "login", "rmm", "--browser"], env=home.env) as terminal:
        sent = httpx.get(page(terminal)).headers["location"]
        terminal.send(re.sub("state=[^&]*", "state=other", sent) + "\r")
        assert httpx.get(f"http://127.0.0.1:{port}/?code=x&state=y").status_code == 200
        assert not terminal.ended()
        terminal.send(sent + "\r")
        assert terminal.wait_end() == 0
    assert home.where()["rmm:refresh_token"] == "age"


def test_where_it_can_not_be_it_says_why(home: Home, port: int) -> None:
    assert "its kind has no such login" in home("auth", "login", "psa", "--browser").err
    file = home.auth.with_name("config.toml")
    good = file.read_text()
    file.write_text(good.replace(f"redirect_port = {port}\n", ""))
    assert "redirect_port is not set" in home("auth", "login", "rmm", "--browser").err
    file.write_text(good)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert "can't be listened on" in home("auth", "login", "rmm", "--browser").err
