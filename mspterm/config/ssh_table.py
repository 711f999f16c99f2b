"""`[ssh]`: how devices are reached, and the check of every host, user and fingerprint in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mspterm.config.keys import Key, Table, Type
from mspterm.domain.reasons import Failed

DIRECTLY = "none"
# As in `checks` below: a table with none of them doesn't import domain.ssh.
_CHECKED = {"host", "user", "jump", "host_key"}

_COMMON = (
    Key("user", Type.TEXT, "Who to log in as; your login name here where not given", sample="ines"),
    Key("port", Type.COUNT, "Port of sshd; 22 where not given", sample=22, low=1, high=65535),
    Key("jump", Type.TEXT, "Jump host, [USER@]HOST[:PORT]; none: directly", sample="ines@jump.msp.example"),
    Key(
        "identity_file",
        Type.PATH,
        "The one key to log in with; ssh's own where not given",
        sample="~/.ssh/msp",
    ),
)
SSH = Table(
    "ssh",
    "How devices are reached by SSH",
    (
        *_COMMON,
        Key(
            "agent",
            Type.FLAG,
            "true lets ssh here sign with your agent's keys; it is never forwarded",
            sample=True,
        ),
    ),
    tables=(
        Table("clients", "What differs for one client, by its name", _COMMON, many=True, sample_name="hvd"),
        Table(
            "devices",
            "What differs for one device, by its name or ref",
            (
                Key("host", Type.TEXT, "Its address; the RMM's where not given", sample="10.20.0.11"),
                *_COMMON,
                Key(
                    "host_key",
                    Type.TEXT,
                    "Fingerprint of its host key, so that its first use needs no question",
                    sample="SHA256:" + "A" * 43,
                ),
            ),
            many=True,
            sample_name="HVD-WEB01",
        ),
    ),
)

Place = tuple[str, ...]


def problems(held: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Every value that ssh must not be given, with its place."""
    yield from _problems(("ssh",), held)
    for table in ("clients", "devices"):
        for name, values in held.get(table, {}).items():
            yield from _problems(("ssh", table, name), values)


def _problems(where: Place, held: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    if not held.keys() & _CHECKED:
        return
    # Only a file that has such keys pays for what checks them.
    from mspterm.domain.ssh import fingerprint_problem, host_problem, user_problem

    checks = (
        ("host", host_problem),
        ("user", user_problem),
        ("jump", _jump_problem),
        ("host_key", fingerprint_problem),
    )
    for name, check in checks:
        problem = check(held[name]) if name in held else None
        if problem is not None:
            yield (*where, name), f"{problem[0].upper()}{problem[1:]}."


def _jump_problem(text: str) -> str | None:
    from mspterm.domain.ssh import hop

    if text == DIRECTLY:
        return None
    try:
        # The user only fills its place where none is written.
        hop(text, "user")
    except Failed:
        return "a jump host is [USER@]HOST[:PORT], or none"
    return None
