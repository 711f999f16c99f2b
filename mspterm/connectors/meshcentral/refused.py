"""MeshCentral's refusals in words: it closes with a code, after the websocket was accepted."""

from __future__ import annotations

from mspterm.connectors.meshcentral.wire import Frame
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.text import clean

# The codes are those of webserver.js 1.1.55.
_TOKEN = "{name} wants a second factor; put a login token (user ~t:...) in place of the account's password."
_CLOSES: dict[str, tuple[Reason, str]] = {
    "tokenrequired": (Reason.AUTH, _TOKEN),
    "nokey": (
        Reason.AUTH,
        "{name} opens only with a login key in its url; ask its administrator for access.",
    ),
    "badtlscert": (Reason.AUTH, "{name} saw another certificate than its own; is something in between?"),
    "notools": (Reason.PERMISSION, "{name} does not let this account use tools; ask its administrator."),
    "emailvalidationrequired": (
        Reason.AUTH,
        "The account's mail address is not confirmed at {name}; confirm it.",
    ),
    "banned": (Reason.REFUSED, "{name} has banned this address after refused logins; wait ten minutes."),
    "expired": (Reason.AUTH, "The login at {name} has expired; run `mspterm auth login {name}`."),
    "invalidorigin": (Reason.REFUSED, "{name} refuses the origin of this connection; check its url."),
}
_NOAUTH = "{name} refused the user name or password; check them with `mspterm auth test {name}`."
_STOPPED = "{name} ended this session (too many sessions, or an administrator did); try again later."


def closed_by_server(frame: Frame, name: str) -> Failed | None:
    """The failure that a `close` or `stopped` message means; None for any other message."""
    if frame.action == "stopped":
        return failed(Reason.REFUSED, _STOPPED.format(name=name), name)
    if frame.action != "close":
        return None
    # `msg` first: beside it the cause is mostly just "noauth". Some codes end in a number (banned-1).
    for code in (frame.msg, frame.cause):
        known = _CLOSES.get(code.rstrip("-1234567890")) if isinstance(code, str) else None
        if known is not None:
            return failed(known[0], known[1].format(name=name), name)
    return failed(Reason.AUTH, _NOAUTH.format(name=name), name)


def no_device(name: str, device: str) -> Failure:
    """There is no such device; MeshCentral says the same of one that the account may not see."""
    sentence = f"{name} has no device {clean(device, limit=100)}, or this account may not see it."
    return Failure(Reason.NOT_FOUND, sentence, name)
