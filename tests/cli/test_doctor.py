"""`doctor` and `complete` as a stranger runs them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from mspterm.config.model import Config, Connection
from mspterm.desk.desk import Desk
from mspterm.desk.doctor import Health, examine
from mspterm.secrets.chain import Credentials
from tests.connectors.fake_rt import FakeRt

assert sys.platform != "win32"

from tests.cli.test_auth_backends import Home  # noqa: E402
from tests.terminal.fake_rt_server import RtServer  # noqa: E402

NOW = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with RtServer(FakeRt()) as server:
        made = Home(tmp_path, server.url)
        made.env["MSPTERM_SECRET_DESK_TOKEN"] = "1-28-cafe0bad01"
        yield made


def states(home: Home) -> dict[str, str]:
    rows: list[dict[str, Any]] = home("doctor", "--json").json
    return {row["check"]: row["state"] for row in rows}


def test_what_is_well_is_said_so(home: Home) -> None:
    done = home("doctor")
    assert done.status == 0, done.out
    assert "good   desk login: desk acts as Ines" in done.out
    assert "good   desk budget: desk: No limit is published for its API" in done.out
    found = states(home)
    assert {found[c] for c in ("config", "permissions", "desk TLS", "desk clock", "desk login")} == {"good"}
    assert found["credentials"] == "doubt"


def test_what_others_can_read_is_bad(home: Home) -> None:
    state = home.folder / ".local" / "state" / "mspterm"
    state.mkdir(parents=True)
    state.chmod(0o755)
    done = home("doctor")
    assert done.status == 1
    assert f"bad    permissions: Others can read {state}: `chmod go-rwx {state}`." in done.out
    state.chmod(0o700)
    home.auth.parent.chmod(0o777)
    assert states(home)["permissions"] == "bad"


def test_a_broken_config_and_a_dead_server_are_bad(home: Home) -> None:
    file = home.auth.with_name("config.toml")
    good = file.read_text()
    file.write_text(good + "colour = 1\n")
    done = home("doctor")
    assert (done.status, "No such key" in done.out, "mspterm init" in done.out) == (1, True, True)
    file.write_text('[connections.desk]\nkind = "rt"\nurl = "http://127.0.0.1:9"\n')
    found = states(home)
    assert (found["desk TLS"], found["desk login"]) == ("bad", "bad")


@asynccontextmanager
async def serving(date: datetime, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says what time it is and no more."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        stamp = format_datetime(date, usegmt=True)
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {stamp}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("off", "health"), [(0, "good"), (-20, "doubt"), (90, "bad")])
async def test_a_clock_that_is_off_is_said(tmp_path: Path, off: int, health: str) -> None:
    async with serving(NOW - timedelta(seconds=off)) as port:
        desk = Desk(
            Config(connections={"rt": Connection("rt", "rt", f"http://127.0.0.1:{port}")}),
            tmp_path,
            credentials=Credentials({"MSPTERM_SECRET_RT_TOKEN": "1-28-ab"}),
            now=lambda: NOW,
        )
        found = {finding.check: finding for finding in await examine(desk, "rt")}
        await desk.aclose()
    assert found["rt clock"].health is Health(health)
    assert ("chrony" in found["rt clock"].sentence) is (health != "good")
    assert found["rt login"].health is Health.BAD


async def test_what_answers_with_no_head_is_a_finding(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 200_000)
        # Until it is hung up on, which is a reset as not all of it was read.
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        desk = Desk(
            Config(connections={"rt": Connection("rt", "rt", url)}), tmp_path, credentials=Credentials({})
        )
        found = (await examine(desk, "rt"))[0]
        await desk.aclose()
    assert (found.check, found.health) == ("rt TLS", Health.BAD)
    assert found.sentence == "rt: what answers there is no HTTP server: check its url."


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """One that signs itself for nine days, and its key."""
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/O=Lab CA"]
    argv += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, capture_output=True, check=True)
    return cert, key


async def test_a_certificate_is_named_and_one_of_a_private_ca_says_what_to_set(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    cert, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    found = []
    async with serving(datetime.now(UTC), context) as port:
        for bundle in (None, cert):
            connection = Connection("rt", "rt", f"https://127.0.0.1:{port}", ca_bundle=bundle)
            desk = Desk(Config(connections={"rt": connection}), tmp_path, credentials=Credentials({}))
            found.append((await examine(desk, "rt"))[0])
            await desk.aclose()
    assert (found[0].health, found[1].health) == (Health.BAD, Health.DOUBT)
    assert "set ca_bundle to the PEM file of its CA" in found[0].sentence
    assert "TLSv1.3, certificate of Lab CA, 8 days left" in found[1].sentence


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(home: Home, shell: str) -> None:
    done = home("complete", shell)
    assert (done.status, "_MSPTERM_COMPLETE" in done.out) == (0, True)


def test_verbs_and_connections_are_completed(home: Home) -> None:
    def words(typed: str, at: int) -> list[str]:
        env = home.env | {"_MSPTERM_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(at)}
        argv = [sys.executable, "-m", "mspterm"]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert words("mspterm doc", 1) == ["doctor"]
    assert words("mspterm auth un", 2) == ["unlock"]
    assert words("mspterm auth login d", 3) == ["desk"]
