"""A person's login: the authorization code with PKCE (S256), for a refresh token that actions need."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlencode, urlsplit

from mspterm.config.model import Connection
from mspterm.connectors.ninjaone import wire
from mspterm.connectors.ninjaone.client import origin
from mspterm.connectors.ninjaone.tokens import TOKEN
from mspterm.domain.reasons import Failed, Failure, Reason, failed
from mspterm.domain.secret import Secret
from mspterm.net.faults import Answered
from mspterm.net.http import Http
from mspterm.net.pacer import FreePacer

AUTHORIZE = "/ws/oauth/authorize"
# control runs scripts; without offline_access there is no refresh token.
SCOPES = "monitoring management control offline_access"


@dataclass(frozen=True, slots=True)
class Asked:
    """One login under way: the page to open, and what its answer must carry."""

    url: str
    redirect: str
    state: str
    verifier: Secret


def begin(connection: Connection, port: int) -> Asked:
    """The redirect must be registered at the application exactly so, without a slash at its end."""
    redirect, state, verifier = f"http://127.0.0.1:{port}", token_urlsafe(24), token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": connection.settings.get("client_id", ""),
        "redirect_uri": redirect,
        "scope": SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{origin(connection.url)}{AUTHORIZE}?{urlencode(query)}"
    return Asked(url, redirect, state, Secret(verifier))


def code_of(asked: Asked, address: str) -> Secret | None:
    """The code in the address that the browser was sent to; None where it isn't of this login."""
    query = parse_qs(urlsplit(address.strip()).query)
    # Exactly one of each: anything else was not sent by the page that we opened.
    if query.get("state") != [asked.state] or len(query.get("code", ())) != 1:
        return None
    return Secret(query["code"][0])


async def redeem(
    connection: Connection,
    secrets: Mapping[str, Secret],
    asked: Asked,
    code: Secret,
    now: Callable[[], datetime],
) -> Secret:
    """The refresh token for a code. Raises Failed where NinjaOne gives none."""
    form = {
        "grant_type": "authorization_code",
        "client_id": connection.settings.get("client_id", ""),
        "redirect_uri": asked.redirect,
        "code": code.reveal(),
        "code_verifier": asked.verifier.reveal(),
    }
    # A native application has none: PKCE stands in its place.
    if "client_secret" in secrets:
        form["client_secret"] = secrets["client_secret"].reveal()
    http = Http(connection, base_url=origin(connection.url), pacer=FreePacer(), now=now)
    try:
        answer = await http.send("POST", TOKEN, form=form, kind="interactive")
        found = http.decode(answer, wire.Token, strict=False)
    except Answered as error:
        sentence = (
            f"NinjaOne refused the login at {connection.name} ({error.status}): its application must be of type "
            f"Native (or Web, with its client_secret) and have {asked.redirect} as redirect URI."
        )
        raise Failed(Failure(Reason.AUTH, sentence, connection.name)) from None
    finally:
        await http.aclose()
    if found.refresh_token is None:
        sentence = f"NinjaOne gave {connection.name} no refresh token: permit the grant refresh_token."
        raise failed(Reason.AUTH, sentence, connection.name)
    return Secret(found.refresh_token)
