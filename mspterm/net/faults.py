"""What went wrong on the wire, as reasons with sentences that say what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime

import httpx

from mspterm.domain.reasons import Failed, Failure, Reason

BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""Errors after which the server surely has no request of ours."""

# RemoteProtocolError: the server closed an idle connection just as it was used. Slowness is not
# among them: a server that takes too long would get a second request on top of the first.
_PASSING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError)


class MaybeSent(Failed):
    """The request left and no answer came: the server may or may not have acted on it."""


class Answered(Failed):
    """The server answered with an error status; `status` and `body` let a connector say it better."""

    def __init__(self, failure: Failure, status: int, body: bytes) -> None:
        super().__init__(failure)
        self.status = status
        self.body = body


_STATUSES: dict[int, tuple[Reason, str]] = {
    401: (Reason.AUTH, "{host} refused the credential of {name}; check it with `mspterm auth test {name}`."),
    403: (Reason.PERMISSION, "{host} does not permit this to the identity of {name}; ask its administrator."),
    404: (Reason.NOT_FOUND, "{host} has no such item; it may be gone or hidden from the identity of {name}."),
    407: (Reason.AUTH, "The proxy on the way to {host} wants a login; check the proxy setting of {name}."),
    409: (Reason.CONFLICT, "It was changed at {host} meanwhile; read it again before you change it."),
    412: (Reason.CONFLICT, "It was changed at {host} meanwhile; read it again before you change it."),
    429: (Reason.RATE_LIMIT, "{host} has had too many requests from {name}; wait until it takes more."),
}


def status_failure(name: str, host: str, status: int, retry_at: datetime | None) -> Failure:
    """The failure that an error status means."""
    if status in _STATUSES:
        reason, sentence = _STATUSES[status]
        return Failure(reason, sentence.format(host=host, name=name), name, retry_at)
    if status >= 500:
        sentence = f"{host} answered {status}: the trouble is its own; {name} is tried again by itself."
        return Failure(Reason.SERVER, sentence, name, retry_at)
    sentence = f"{host} refused the request with status {status}; the log of {name}'s server says why."
    return Failure(Reason.REFUSED, sentence, name, retry_at)


def bad_data(name: str, host: str, what: str) -> Failed:
    """An answer that can't be used."""
    return Failed(
        Failure(Reason.BAD_DATA, f"{host} {what}; check the url of {name} and what is in between.", name)
    )


def wire_failure(name: str, host: str, error: Exception) -> Failure:
    """The failure that a transport error means."""
    causes = tuple(_causes(error))
    # Before all else: httpx wraps it in a ConnectError, whose sentence would have people look at a port.
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return Failure(Reason.OFFLINE, _tls_sentence(name, host, tls), name)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        sentence = f"The name {host} can't be resolved; check the url of {name} and this host's DNS or VPN."
    elif isinstance(error, httpx.ProxyError):
        sentence = f"The proxy on the way to {host} failed; check the proxy setting of {name}."
    elif isinstance(error, httpx.ConnectTimeout):
        sentence = f"{host} did not take a connection in time; check the network or VPN to {name}."
    elif isinstance(error, httpx.ConnectError):
        sentence = f"No connection to {host}; is the server of {name} running, its port open from here?"
    elif isinstance(error, (httpx.TimeoutException, TimeoutError)):
        sentence = f"{host} did not answer in time; raise timeout_s of {name} if it is only slow."
    else:
        sentence = f"The connection to {host} broke off before the answer of {name} was complete; try again."
    return Failure(Reason.OFFLINE, sentence, name)


_NAMED_WRONG = (
    "The certificate of {host} is for another name; check the url of {name}, and what answers in its place."
)
_STALE = {
    9: "The certificate of {host} is not valid yet; check this host's clock, then who runs the server of {name}.",
    10: "The certificate of {host} has expired; who runs the server of {name} must renew it (or this clock is wrong).",
    62: _NAMED_WRONG,
    64: _NAMED_WRONG,
}
"""By OpenSSL's X509_V_ERR codes: where trusting another CA would not help."""


def may_pass(error: Exception) -> bool:
    """Whether the same read may do better in a moment. A certificate doesn't become a better one."""
    bad = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
    return isinstance(error, _PASSING) and not bad


def _tls_sentence(name: str, host: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _STALE:
            return _STALE[error.verify_code].format(host=host, name=name)
        return (
            f"The certificate of {host} is not trusted ({error.verify_message}); if a private CA signs it, "
            f"set ca_bundle of {name} to that CA's certificate."
        )
    return (
        f"No TLS with {host} ({error.reason or 'handshake failed'}); check that the url of {name} is right, "
        f"and its ca_bundle, client_cert and client_key."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        # Both, as httpx raises from httpcore's error and what the system said is only that one's context.
        seen = seen.__cause__ or seen.__context__
