"""`doctor`: everything that mspterm stands on, looked at once, each with what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mspterm.cli.output import print_json
from mspterm.cli.read import json_option
from mspterm.cli.session import FAILED, options
from mspterm.config.load import ConfigError, load
from mspterm.config.model import Config
from mspterm.config.paths import config_file, state_dir
from mspterm.desk.desk import Desk
from mspterm.desk.doctor import Finding, Health, examine
from mspterm.domain.reasons import Failed
from mspterm.secrets.answer import State
from mspterm.secrets.chain import Credentials
from mspterm.secrets.probe import advice, probe

LEAST = (60, 16)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at the terminal, credentials, TLS, clocks, connections and permissions."""
    credentials = Credentials()
    findings = [terminal(), *_configured(credentials)]
    if as_json:
        print_json([{"check": f.check, "state": f.health.value, "sentence": f.sentence} for f in findings])
    else:
        # No table: a sentence that says what to do must not be cut at the terminal's edge.
        for f in findings:
            click.echo(f"{f.health.value:6} {f.check}: {f.sentence}")
    if any(f.health is Health.BAD for f in findings):
        raise SystemExit(FAILED)


def _configured(credentials: Credentials) -> Iterator[Finding]:
    file = config_file(options().config)
    config: Config | None = None
    try:
        config = load(options().config)
    except ConfigError as error:
        yield from (Finding("config", Health.BAD, str(problem)) for problem in error.problems)
        yield Finding("config", Health.BAD, "`mspterm init` keeps what is good of it and marks the rest.")
    else:
        yield _count(config, file)
        yield from (Finding("policy", Health.BAD, failure) for failure in config.policy_failures)
    yield from backend(credentials)
    yield _journal_key(credentials)
    yield from permissions(config, credentials, file)
    if config is not None:
        yield from asyncio.run(_connections(config))


def _count(config: Config, file: Path) -> Finding:
    enabled = [c for c in config.connections.values() if c.enabled]
    if not enabled:
        sentence = f"{file} has no connection that is enabled: `mspterm init` adds one."
        return Finding("config", Health.DOUBT, sentence)
    names = ", ".join(c.name for c in enabled)
    return Finding("config", Health.GOOD, f"{file} is good: {names}.")


def terminal() -> Finding:
    """What the console would meet here."""
    term, size = os.environ.get("TERM", ""), shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sentence = "Input or output is no terminal here: the console can't open, the verbs work."
        return Finding("terminal", Health.DOUBT, sentence)
    if term in ("", "dumb", "unknown") and sys.platform != "win32":
        sentence = f"TERM is {term or 'not set'}: set it to what your terminal is (xterm-256color, say)."
        return Finding("terminal", Health.BAD, sentence)
    if encoding != "utf8":
        sentence = f"The locale's encoding is {encoding}: set LANG to one with UTF-8 (C.UTF-8, say)."
        return Finding("terminal", Health.BAD, sentence)
    if size.columns < LEAST[0] or size.lines < LEAST[1]:
        sentence = f"{size.columns}x{size.lines} cells are few: the console wants {LEAST[0]}x{LEAST[1]}."
        return Finding("terminal", Health.DOUBT, sentence)
    colour = (
        "no colour (NO_COLOR)" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM", "256 or less")
    )
    return Finding("terminal", Health.GOOD, f"{term}, {size.columns}x{size.lines}, colours: {colour}.")


def backend(credentials: Credentials) -> Iterator[Finding]:
    """The chosen backend, by a probe with its times."""
    try:
        store = credentials.stores.chosen
    except Failed as error:
        yield Finding("credentials", Health.BAD, error.failure.sentence)
        return
    steps = probe(store)
    last = steps[-1]
    if all(step.good for step in steps):
        times = ", ".join(f"{step.what} {step.ms:.0f} ms" for step in steps)
        yield Finding("credentials", Health.GOOD, f"{store.title} works: {times}.")
    elif last.state is State.READ_ONLY:
        yield Finding("credentials", Health.DOUBT, f"{last.sentence} The journal's head has no place there.")
    else:
        sentence = last.sentence
        if store.name == "keyring":
            sentence = f"The OS keyring does not work here ({last.state.value}). {advice(os.environ)}"
        given = any(name.startswith("MSPTERM_SECRET_") for name in os.environ)
        # With the environment alone, as automation has it, no backend is needed to connect.
        yield Finding("credentials", Health.DOUBT if given else Health.BAD, sentence)


def _journal_key(credentials: Credentials) -> Finding:
    check = "journal key"
    try:
        key = credentials.journal_key()
    except Failed as error:
        return Finding(check, Health.BAD, error.failure.sentence)
    if key is not None:
        return Finding(check, Health.GOOD, "The journal is chained with a key.")
    answer = credentials.get("journal", "key")
    if getattr(answer, "state", None) is State.ABSENT:
        return Finding(check, Health.GOOD, "The journal's key is made with the first record.")
    sentence = "The journal has no key: its records can't be verified, and disruptive actions are refused."
    return Finding(check, Health.DOUBT, sentence)


def permissions(config: Config | None, credentials: Credentials, file: Path) -> Iterator[Finding]:
    """Files and directories that others must not change or read, where they exist."""
    state = state_dir(options().state_dir)
    auth = credentials.stores.file
    folder = credentials.stores.age_folder
    # Their folders too: who may write there can put another file in its place.
    changes = [p for f in (file, auth) for p in (f.parent, f)]
    reads = [state, state / "journal", folder, folder / "identity.age", folder / "secrets.age"]
    for connection in config.connections.values() if config else ():
        reads += [connection.client_key] if connection.client_key else []
    wrong = [
        *(s for p in dict.fromkeys(changes) if (s := _open_to_others(p, _OTHERS_WRITE))),
        *(s for p in dict.fromkeys(reads) if (s := _open_to_others(p, _OTHERS))),
    ]
    yield from (Finding("permissions", Health.BAD, sentence) for sentence in wrong)
    if not wrong:
        yield Finding("permissions", Health.GOOD, "Others can't change or read what is yours.")


def _open_to_others(path: Path, forbidden: int) -> str | None:
    """What is wrong with a path's owner or mode; None where nothing is, or there is no such path."""
    try:
        facts = path.stat()
    except OSError:
        return None
    if sys.platform != "win32":
        if facts.st_uid != os.geteuid():
            return f"{path} belongs to another user: `chown` it, or choose another place."
        if facts.st_mode & forbidden:
            verb, minus = ("read", "go-rwx") if forbidden == _OTHERS else ("change", "go-w")
            return f"Others can {verb} {path}: `chmod {minus} {path}`."
    return None


async def _connections(config: Config) -> list[Finding]:
    desk = Desk(config, state_dir(options().state_dir), read_only=True)
    try:
        found = await asyncio.gather(*(examine(desk, name) for name in desk.connections))
    finally:
        await desk.aclose()
    return [finding for findings in found for finding in findings]
