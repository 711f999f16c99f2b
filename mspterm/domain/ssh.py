"""SSH to a device, as values: who may be named, and what ssh is told. Nothing here runs or reads.

OpenSSH refuses most hostile names by itself, but says that its checks can't be complete, and older
clients lack them (security.md 2.3): a `Hop` that exists has been checked here.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mspterm.domain.reasons import Reason, failed

DEVICE, JUMP = "mspterm-device", "mspterm-jump"
"""The names that ssh is given: what they stand for is in the generated config only."""
CONFIG_FILE = "config"
ARGV = ("ssh", "-F", CONFIG_FILE, "--", DEVICE)
"""Run in the session's folder: the jump's ssh gets the config's name by way of a shell, so it must be
a word without anything to quote."""
PROBE_ARGV = ("ssh", "-F", CONFIG_FILE, "-N", "-T", "--")

# What a host and a user may be (security.md 2.3): no leading -, no dots in a row, nothing for a shell.
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_DOMAIN_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,14}\\[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_HOP = re.compile(r"(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
# Resolvers read 127.1 and 0x7f.1 as addresses.
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_ODD = re.compile(r"[^a-z0-9-]+")
_PASSED_ON = ("HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "TERM", "TZ", "USER")
# What ssh needs on Windows to find its own files.
_PASSED_ON_WINDOWS = ("SYSTEMROOT", "USERPROFILE", "USERNAME", "APPDATA", "PROGRAMDATA", "TEMP")


def host_problem(host: str) -> str | None:
    """Why this can't be the host of a session; None where it can: an address, or a name of labels."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            return "a host is an IP address, or a name of letters, digits, - and _ between single dots"
        numeric = _NUMBER.fullmatch(labels[-1])
        return "this is neither a name nor a whole IP address" if numeric else None
    # ssh expands % in its config's HostName.
    return "an address with a zone can't be used" if "%" in host else None


def user_problem(user: str) -> str | None:
    if _USER.fullmatch(user) or _DOMAIN_USER.fullmatch(user):
        return None
    return r"a user is lower-case letters, digits, _ . and -, a letter first, or DOMAIN\user"


def fingerprint_problem(text: str) -> str | None:
    good = _FINGERPRINT.fullmatch(text)
    return (
        None if good else "a host key's fingerprint is SHA256: and 43 characters, as `ssh-keygen -lf` has it"
    )


@dataclass(frozen=True, slots=True)
class Hop:
    """One host to log in to. Raises Failed(refused) at a host, user or port that is not one."""

    host: str
    user: str
    port: int = 22

    def __post_init__(self) -> None:
        problem = host_problem(self.host) or user_problem(self.user)
        if problem is None and not 1 <= self.port <= 65535:
            problem = "a port is 1 to 65535"
        if problem is not None:
            raise failed(
                Reason.REFUSED, f"ssh: {self.user!r} at {self.host!r} is not connected to: {problem}."
            )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}" + (f":{self.port}" if self.port != 22 else "")


def hop(text: str, user: str) -> Hop:
    """A hop written as `[USER@]HOST[:PORT]`; an IPv6 address stands in brackets. Raises Failed."""
    found = _HOP.fullmatch(text)
    if found is None:
        raise failed(Reason.REFUSED, f"ssh: {text!r} is not [USER@]HOST[:PORT].")
    return Hop(found["six"] or found["host"], found["user"] or user, int(found["port"] or 22))


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where one device's session goes. `folder` names the client in files and aliases; `host_key` is a
    fingerprint that our inventory has; `agent` lets ssh here sign with the agent's keys."""

    ref: str
    name: str
    client: str | None
    folder: str
    device: Hop
    jump: Hop | None = None
    identity_file: str | None = None
    agent: bool = False
    host_key: str | None = None

    @property
    def aliases(self) -> Mapping[str, str]:
        """The names in known_hosts, by ssh's names. Clients' private addresses repeat, these don't."""
        found = {DEVICE: f"{self.folder}/{slug(self.ref)}"}
        if self.jump is not None:
            found[JUMP] = f"{self.folder}/jump-{slug(self.jump.host)}-{self.jump.port}"
        return found

    def __str__(self) -> str:
        return f"{self.device} through {self.jump}" if self.jump else f"{self.device}, directly"


def slug(text: str) -> str:
    """A name for files and aliases, of letters, digits and -; two texts never have the same."""
    plain = _ODD.sub("-", text.casefold()).strip("-")[:40]
    # What had to be changed carries a hash of what it was, so that two clients never share a folder.
    return plain if plain == text else f"{plain or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def config_text(target: SshTarget, known_hosts: str, *, probed: str | None = None, seen: str = "") -> str:
    """The config of one session. Every option stands in each host's own block: what the command line
    says doesn't reach the jump hop (security.md 2.3).

    `probed` is the host whose key is only looked at: it goes into the file `seen`, and no way to log in
    is tried there.
    """
    lines: list[str] = []
    hops = {DEVICE: target.device} | ({JUMP: target.jump} if target.jump else {})
    for name, one in hops.items():
        trusted = _probe_options(seen) if name == probed else _trust_options(known_hosts)
        through = JUMP if name == DEVICE and target.jump else "none"
        own = {
            "HostName": one.host,
            "User": one.user,
            "Port": str(one.port),
            "HostKeyAlias": target.aliases[name],
            "ProxyJump": through,
        }
        lines.append(f"Host {name}")
        lines += [f"  {key} {value}" for key, value in (own | trusted | _options(target)).items()]
    return "\n".join(lines) + "\n"


def _trust_options(known_hosts: str) -> dict[str, str]:
    return {
        # A person sits there: ssh may ask for a passphrase or a password.
        "BatchMode": "no",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": quoted(known_hosts),
    }


def _probe_options(seen: str) -> dict[str, str]:
    return {
        "BatchMode": "yes",
        # Into the file `seen` and never into known_hosts: ssh writes the key down, and nobody trusts it yet.
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": quoted(seen),
        "PreferredAuthentications": "none",
        "PubkeyAuthentication": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
    }


def _options(target: SshTarget) -> dict[str, str]:
    identity = {}
    if target.identity_file is not None:
        identity = {"IdentityFile": quoted(target.identity_file), "IdentitiesOnly": "yes"}
    return identity | {
        "IdentityAgent": "SSH_AUTH_SOCK" if target.agent else "none",
        # Nothing but the client's own known_hosts vouches for a key: not the host's file, not DNS, and no
        # key that a server would have added.
        "GlobalKnownHostsFile": os.devnull,
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "NoHostAuthenticationForLocalhost": "no",
        "CanonicalizeHostname": "no",
        # `host_keys` reads the names as they are.
        "HashKnownHosts": "no",
        # Root on the target can use a forwarded agent while the session lasts (security.md 2.3).
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ForwardX11Trusted": "no",
        "ClearAllForwardings": "yes",
        "Tunnel": "no",
        "GSSAPIDelegateCredentials": "no",
        "PermitLocalCommand": "no",
        # Any process of this user could ride a master's session without a key (security.md 2.3).
        "ControlMaster": "no",
        "ControlPath": "none",
        # By ~C a session could open the forwardings that are closed above.
        "EscapeChar": "none",
        "ConnectTimeout": "20",
        # A line that is dead ends within a minute and gives the terminal back.
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "SendEnv": "MSPTERM_TICKET MSPTERM_CLIENT MSPTERM_DEVICE",
    }


def quoted(path: str) -> str:
    """A path as ssh's config takes it literally. Raises Failed where it can't be written there."""
    plain = path.replace("\\", "/") if os.name == "nt" else path
    # ssh expands ${NAME} in such paths, and a quoted one has no way to write a quote.
    if not plain.isprintable() or any(c in plain for c in '"\\$'):
        raise failed(Reason.REFUSED, f"ssh: the path {path!r} can't stand in ssh's config; choose another.")
    return f'"{plain.replace("%", "%%")}"'


def environment(target: SshTarget, ticket: str | None, own: Mapping[str, str]) -> dict[str, str]:
    """What the session's ssh sees of our environment, and what it is about."""
    wanted = (*_PASSED_ON, *(_PASSED_ON_WINDOWS if os.name == "nt" else ()))
    # A list of what goes, not of what stays: a variable that nobody thought of isn't handed on.
    kept = {name: value for name, value in own.items() if name in wanted or name.startswith("LC_")}
    if target.agent and "SSH_AUTH_SOCK" in own:
        kept["SSH_AUTH_SOCK"] = own["SSH_AUTH_SOCK"]
    about = {"MSPTERM_TICKET": ticket, "MSPTERM_CLIENT": target.client, "MSPTERM_DEVICE": target.name}
    return kept | {name: value for name, value in about.items() if value}


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key as a line of known_hosts has it."""

    alias: str
    kind: str
    blob: str

    @property
    def fingerprint(self) -> str:
        from base64 import b64decode, b64encode

        return "SHA256:" + b64encode(hashlib.sha256(b64decode(self.blob)).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        return f"{self.alias} {self.kind} {self.blob}\n"


def host_keys(known_hosts: str) -> Iterator[HostKey]:
    """The keys in a known_hosts file of ours; marked and hashed lines are left out."""
    for line in known_hosts.splitlines():
        words = line.split()
        if len(words) >= 3 and words[0][0] not in "#@|":
            yield HostKey(*words[:3])
