"""Whether a connection's way is clear: its certificate, the server's clock, and who we are there."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from mspterm.config.model import Connection
from mspterm.desk.budget import said
from mspterm.desk.desk import Desk, NoCredential
from mspterm.domain.reasons import Failed, Reason, failed
from mspterm.domain.text import clean
from mspterm.net import tls
from mspterm.net.retry import http_date

SKEW_DOUBT_S, SKEW_BAD_S = 5, 60
"""HTTP tells whole seconds; tokens and SLA clocks bear some, nobody's bear a minute."""
EXPIRY_DOUBT_DAYS = 21
SHOWN = 5
"""Items named of those that could not be read."""
_LIMIT_S = 10.0
_MOST = 16_384


class Health(StrEnum):
    """How a check ended; only `bad` makes `doctor` fail."""

    GOOD = "good"
    DOUBT = "doubt"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and a sentence that says what to do where it isn't good."""

    check: str
    health: Health
    sentence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server shows before anybody logs in. `certificate` as `ssl.getpeercert` gives it."""

    version: str | None
    certificate: Mapping[str, Any]
    date: datetime | None


async def examine(desk: Desk, name: str) -> list[Finding]:
    """Everything about one connection."""
    connection = desk.connections[name]
    way, identity = await asyncio.gather(_way(connection, desk.now), _identity(desk, name))
    return [*way, identity, *_known(desk, name)]


def _known(desk: Desk, name: str) -> list[Finding]:
    """What its calls have come to: the budget, and items that could not be read."""
    try:
        standing = desk.pacer.standing(name)
    except Failed:
        return []  # the login has told that this version has no such connector
    health = Health.DOUBT if standing.rate < 1 or standing.held_until else Health.GOOD
    found = [Finding(f"{name} budget", health, f"{name}: {said(standing)}")]
    skipped = desk.store.connections.get(name).skipped
    if skipped:
        some = "; ".join(f"{id_}: {why}" for id_, why in skipped[:SHOWN])
        more = f"; and {len(skipped) - SHOWN} more" if len(skipped) > SHOWN else ""
        sentence = f"{name}: {len(skipped)} items could not be read and are left out: {some}{more}."
        found.append(Finding(f"{name} items", Health.DOUBT, sentence))
    return found


async def _identity(desk: Desk, name: str) -> Finding:
    try:
        identity = await (await desk.connector(name)).whoami()
    except NoCredential as error:
        return Finding(f"{name} login", Health.BAD, error.failure.sentence)
    except Failed as error:
        return Finding(f"{name} login", Health.BAD, str(error.failure))
    who = identity.technician
    sentence = (
        f"{name} acts as {who.name} ({who.id}, {identity.kind}); {identity.version or 'no version told'}."
    )
    return Finding(f"{name} login", Health.GOOD, sentence)


async def _way(connection: Connection, now: Callable[[], datetime]) -> list[Finding]:
    name = connection.name
    if connection.proxy or not connection.url:
        why = "its proxy" if connection.proxy else "zone discovery"
        return [Finding(f"{name} TLS", Health.GOOD, f"{name} is reached through {why}: not looked at.")]
    try:
        seen = await asyncio.wait_for(_seen(connection), _LIMIT_S)
    except ssl.SSLCertVerificationError as error:
        # Before OSError, of which it is one, and which would only say that it can't be reached.
        sentence = f"{name}: its certificate is not trusted ({clean(error.verify_message)}): set ca_bundle "
        return [Finding(f"{name} TLS", Health.BAD, f"{sentence}to the PEM file of its CA.")]
    except Failed as error:
        return [Finding(f"{name} TLS", Health.BAD, error.failure.sentence)]
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        sentence = f"{name}: {urlsplit(connection.url).hostname} can't be reached ({why}): check its url."
        return [Finding(f"{name} TLS", Health.BAD, sentence)]
    return [_tls(name, seen, now()), *_clock(name, seen.date, now())]


async def _seen(connection: Connection) -> Seen:
    parts = urlsplit(connection.url)
    safe = parts.scheme in ("https", "wss")
    context = tls.context(connection) if safe else None
    port = parts.port or (443 if safe else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        head = await _head(reader, connection.name)
        session = writer.get_extra_info("ssl_object")
        certificate = (session.getpeercert() or {}) if session else {}
        return Seen(session.version() if session else None, certificate, _date(head))
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await writer.wait_closed()


async def _head(reader: asyncio.StreamReader, name: str) -> list[str]:
    lines: list[str] = []
    left = _MOST
    try:
        # Whatever answers on that port is a stranger still: no more of it is read than a head has.
        while left > 0 and (line := await reader.readline()).strip():
            left -= len(line)
            lines.append(line.decode("latin-1"))
    except ValueError:
        # How `readline` says that a line is longer than its buffer.
        raise failed(
            Reason.BAD_DATA, f"{name}: what answers there is no HTTP server: check its url."
        ) from None
    return lines


def _date(head: list[str]) -> datetime | None:
    found = next((line for line in head if line.lower().startswith("date:")), None)
    return http_date(found.partition(":")[2].strip()) if found else None


def _tls(name: str, seen: Seen, now: datetime) -> Finding:
    check = f"{name} TLS"
    if seen.version is None:
        return Finding(check, Health.GOOD, f"{name} is on this machine, without TLS.")
    ends = seen.certificate.get("notAfter")
    if not isinstance(ends, str):
        return Finding(check, Health.GOOD, f"{name}: {seen.version}, trusted by this system.")
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - now).days
    issuer = _issuer(seen.certificate)
    sentence = f"{name}: {seen.version}, certificate of {issuer}, {days} days left."
    return Finding(check, Health.DOUBT if days < EXPIRY_DOUBT_DAYS else Health.GOOD, sentence)


def _issuer(certificate: Mapping[str, Any]) -> str:
    parts = {key: value for pairs in certificate.get("issuer", ()) for key, value in pairs}
    return clean(str(parts.get("organizationName") or parts.get("commonName") or "an unnamed issuer"))


def _clock(name: str, date: datetime | None, now: datetime) -> list[Finding]:
    check = f"{name} clock"
    if date is None:
        return []
    skew = (now - date).total_seconds()
    if abs(skew) <= SKEW_DOUBT_S:
        return [Finding(check, Health.GOOD, f"{name}: its clock and this machine's agree.")]
    way = "ahead of" if skew > 0 else "behind"
    sentence = (
        f"This machine's clock is {abs(skew):.0f} s {way} that of {name}: due times and tokens go wrong; "
    )
    health = Health.BAD if abs(skew) > SKEW_BAD_S else Health.DOUBT
    return [Finding(check, health, f"{sentence}see whether chrony or timesyncd runs here.")]
