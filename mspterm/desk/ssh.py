"""SSH to a device through its client's jump host: from our inventory and config to a session."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import ipaddress
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mspterm.config.paths import private_dir
from mspterm.config.ssh_table import DIRECTLY
from mspterm.desk.desk import Desk
from mspterm.desk.known_hosts import KnownHosts, read_keys
from mspterm.desk.lent import Ran, run_lent
from mspterm.desk.perform import Performer
from mspterm.desk.sessions import Came, Ended, Sessions
from mspterm.domain.action import Consent, OpenSession, Outcome, Plan, State
from mspterm.domain.device import Device
from mspterm.domain.planning import device_target
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.spec import Risk
from mspterm.domain.ssh import (
    ARGV,
    CONFIG_FILE,
    DEVICE,
    JUMP,
    PROBE_ARGV,
    Hop,
    HostKey,
    SshTarget,
    config_text,
    environment,
    hop,
    host_problem,
    slug,
)
from mspterm.domain.ssh_said import failure_of, offered_fingerprint

SHORT = 8
"""Characters at a fingerprint's end that a person may type for the whole of it."""
# A killed process leaves its folder behind; a day is longer than sessions last.
_LEFT_OVER_S = 86_400


class Front(Protocol):
    """Where the person is: who is asked about a new key, and in which terminal the session runs."""

    def typed(self, lines: Sequence[str], question: str) -> str:
        """What the person typed. Raises Failed where nobody can be asked."""
        ...

    async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran: ...


@dataclass(frozen=True, slots=True)
class Here:
    """The session in this process's own terminal; `ask` puts a question to the person in it."""

    ask: Callable[[Sequence[str], str], str]

    def typed(self, lines: Sequence[str], question: str) -> str:
        return self.ask(lines, question)

    async def session(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> Ran:
        return await run_lent(argv, env, folder)


def resolve(desk: Desk, device: Device, client: str | None) -> SshTarget:
    """Where this device's session goes, by `[ssh]` and the RMM. Raises Failed(refused) where a name is
    none that may be connected to."""
    held: Mapping[str, Any] = desk.config.raw.get("ssh", {})
    known = desk.canonical(client, device.connection)
    of_device = _of_device(held, device)
    # What is set nearest to the device wins: for itself, for its client, for all.
    layers = (of_device, _of_client(held, client, known), held)
    user = str(_first(layers, "user") or getpass.getuser())
    jump = _first(layers, "jump")
    identity = _first(layers, "identity_file")
    return SshTarget(
        ref=device.ref,
        name=device.name,
        client=known,
        # A client has keys of its own, as every site has its 192.168.1.10; so has what is of no client.
        folder=slug(known or f"of {device.connection}"),
        device=Hop(str(of_device.get("host") or _address(device)), user, int(_first(layers, "port") or 22)),
        # A word for it: where a client's jump is left out, the one of the whole table counts.
        jump=None if jump in (None, DIRECTLY) else hop(str(jump), user),
        identity_file=None if identity is None else str(identity),
        agent=bool(held.get("agent", False)),
        host_key=of_device.get("host_key"),
    )


def _of_device(held: Mapping[str, Any], device: Device) -> Mapping[str, Any]:
    devices: Mapping[str, Mapping[str, Any]] = held.get("devices", {})
    by_name = {name.casefold(): values for name, values in devices.items()}
    return devices.get(device.ref) or by_name.get(device.name.casefold()) or {}


def _of_client(held: Mapping[str, Any], *names: str | None) -> Mapping[str, Any]:
    clients = {name.casefold(): values for name, values in held.get("clients", {}).items()}
    return next((clients[n.casefold()] for n in names if n and n.casefold() in clients), {})


def _first(layers: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((layer[name] for layer in layers if name in layer), None)


def _address(device: Device) -> str:
    """The RMM's address of it, else its name, which the jump host may know."""
    usable = [ip for ip in device.ips if host_problem(ip) is None and _reachable(ip)]
    if not usable and host_problem(device.name) is not None:
        where = f'[ssh.devices."{device.ref}"] host'
        raise failed(Reason.REFUSED, f"{device.name} has no address that ssh may be given; set {where}.")
    return usable[0] if usable else device.name


def _reachable(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Agents report these truthfully of themselves; from the jump host they are the jump host.
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)


def plan_ssh(desk: Desk, device: Device, client: str | None, ticket: str | None) -> Plan:
    """Raises Failed(refused) as `resolve` does."""
    target = resolve(desk, device, client)
    write = OpenSession(target.ref, "ssh", str(target), ticket)
    lines = [f"{device.name} ({client or 'no client'}): ssh {target}"]
    if ticket:
        lines.append(f"  for {ticket}")
    return Plan("ssh", Risk.DISRUPTIVE, (write,), (device_target(device, client),), tuple(lines))


class Ssh:
    """Opens sessions; `environ` is this process's environment, of which ssh sees little."""

    def __init__(self, desk: Desk, performer: Performer, environ: Mapping[str, str] = os.environ) -> None:
        self._desk = desk
        self._sessions = Sessions(desk, performer)
        self._environ = environ
        self._folder = desk.state_dir / "ssh"

    def known(self, target: SshTarget) -> KnownHosts:
        return KnownHosts(self._folder, target.folder)

    def strangers(self, target: SshTarget) -> list[str]:
        """Which of the session's hosts have no confirmed key yet, the jump first."""
        known = self.known(target)
        return [name for name in (JUMP, DEVICE) if (a := target.aliases.get(name)) and not known.of(a)]

    async def open(self, target: SshTarget, plan: Plan, consent: Consent, front: Front) -> Ended:
        """A session from the guard's word to the journal's last. Raises Failed where the journal can't
        be written."""
        text = config_text(target, str(self.known(target).path))
        [write] = plan.writes
        assert isinstance(write, OpenSession)
        more = {
            "to": str(target),
            "argv": " ".join(ARGV),
            "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }

        async def work() -> Came:
            with session_folder(self._folder) as folder:
                env = environment(target, write.ticket, self._environ)
                # Before the config is written: looking at a key leaves the probe's own config in that file.
                await self._trust(target, folder, env, front)
                _private(folder / CONFIG_FILE, text)
                return self._came(target, await front.session(ARGV, env, folder))

        return await self._sessions.hold(plan, consent, work, more)

    def _came(self, target: SshTarget, ran: Ran) -> Came:
        failure = failure_of(target, ran.status, ran.said, str(self.known(target).path))
        state = State.DONE if failure is None else State.FAILED
        if failure is not None and failure.reason in (Reason.CONFLICT, Reason.REFUSED):
            state = State.REFUSED
        more = {"exit": str(ran.status), "offered_key": offered_fingerprint(ran.said) or ""}
        return Came(Outcome(target.ref, state, failure, (f"exit status {ran.status}",)), more)

    async def _trust(self, target: SshTarget, folder: Path, env: Mapping[str, str], front: Front) -> None:
        """Every host's key confirmed and kept. Raises Failed where one isn't."""
        known = self.known(target)
        # The jump first: the device is looked at through it, and by then through a key that was confirmed.
        for name, host in ((JUMP, target.jump), (DEVICE, target.device)):
            pinned = target.host_key if name == DEVICE else None
            held = known.of(target.aliases[name]) if host else []
            if held and pinned not in (None, *(key.fingerprint for key in held)):
                raise _not_pinned(target, held[0])
            if host is not None and not held:
                key = await self._look(target, name, folder, env)
                _accept(key, f"{name.removeprefix('mspterm-')} {host}", pinned, target, front)
                known.add(key)

    async def _look(self, target: SshTarget, name: str, folder: Path, env: Mapping[str, str]) -> HostKey:
        """The key that a host shows, without an attempt to log in to it. Raises Failed where it shows none."""
        seen = folder / "seen"
        # The file is added to: the jump's key in it must not pass for the device's.
        seen.unlink(missing_ok=True)
        known = str(self.known(target).path)
        _private(folder / CONFIG_FILE, config_text(target, known, probed=name, seen=str(seen)))
        ran = await run_lent((*PROBE_ARGV, name), env, folder)
        keys = read_keys(seen)
        # By the file, not by the status: a probe tries no login, so ssh ends with 255 in any case.
        if not keys:
            failure = failure_of(target, 255, ran.said, known)
            assert failure is not None
            raise Failed(failure)
        return keys[0]


def _accept(key: HostKey, what: str, pinned: str | None, target: SshTarget, front: Front) -> None:
    if pinned is not None:
        if key.fingerprint != pinned:
            raise _not_pinned(target, key)
        return
    lines = (
        f"The host key of {what} is not known yet ({key.alias}).",
        f"It shows {key.kind} {key.fingerprint}",
        "Compare it with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).",
    )
    answer = front.typed(lines, f"Type the fingerprint, or its last {SHORT} characters, to accept it").strip()
    if answer not in (key.fingerprint, key.fingerprint[-SHORT:]):
        sentence = f"The host key {key.fingerprint} of {what} was not confirmed, so nothing was opened."
        raise failed(Reason.REFUSED, sentence)


def _not_pinned(target: SshTarget, key: HostKey) -> Failed:
    sentence = (
        f"{target.name} has the host key {key.fingerprint}, and [ssh.devices] host_key says {target.host_key}:"
        " another machine, or somebody in between. Nothing was sent."
    )
    return failed(Reason.REFUSED, sentence)


@contextmanager
def session_folder(parent: Path) -> Iterator[Path]:
    """A folder of this user's alone for one session, removed after it."""
    private_dir(parent)
    for old in parent.glob("session-*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _LEFT_OVER_S:
                shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix="session-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
