"""NinjaOne's OAuth: a machine's token reads, a technician's acts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from mspterm.sandbox.world import World

# As the real server's `expires_in`.
LIFE_S = 3600
SCOPES = ("monitoring", "management", "control")
_LOOPBACK = ("127.0.0.1", "localhost")


class NinjaRefused(Exception):
    """An answer other than success, in one of NinjaOne's two forms."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def oauth_refused(status: int, error: str, description: str, code: int | None = None) -> NinjaRefused:
    body: dict[str, Any] = {"error": error, "error_description": description}
    return NinjaRefused(status, body if code is None else {**body, "error_code": code})


def failure(status: int, message: str) -> NinjaRefused:
    """The envelope of most failures."""
    body = {"resultCode": "FAILURE", "errorMessage": message, "incidentId": token_urlsafe(12)}
    return NinjaRefused(status, body)


def ninja_answer(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom an access token stands for: a machine has no user context."""

    scopes: frozenset[str]
    user: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class _Code:
    redirect: str
    challenge: str
    scopes: frozenset[str]


@dataclass(slots=True)
class NinjaAuth:
    """The application's credentials, and the tokens given out for them."""

    world: World
    client_id: str
    client_secret: str
    refresh_token: str
    tokens: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)

    def check(self, request: Request, scope: str, *, as_user: bool = False) -> None:
        """Refuses a request without a token that lives (401) or that suffices (403)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        grant = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None or grant.until <= self.world.now():
            self.tokens.pop(token.strip(), None)
            raise oauth_refused(401, "invalid_token", "Access token is missing, invalid or expired", 1)
        if scope not in grant.scopes:
            raise failure(403, "HTTP 403 Forbidden")
        if as_user and not grant.user:
            text = "Access key does not have user context which is required for this request"
            raise oauth_refused(403, "user_context_required", text, 5)

    async def token(self, request: Request) -> Response:
        """`POST /ws/oauth/token`."""
        try:
            form = dict(parse_qsl((await request.body()).decode()))
            client, secret = _client(request, form)
            # A native app has no secret: its PKCE verifier stands in for one.
            if client != self.client_id or (secret is not None and secret != self.client_secret):
                raise oauth_refused(401, "invalid_client", "Client authentication failed")
            return self._granted(form, secret)
        except NinjaRefused as refused:
            return JSONResponse(refused.body, refused.status)

    def _granted(self, form: dict[str, str], secret: str | None) -> Response:
        kind = form.get("grant_type")
        if kind == "client_credentials":
            if secret is None:
                raise oauth_refused(401, "invalid_client", "Client authentication failed")
            return self._give(self._asked(form.get("scope")), user=False)
        if kind == "refresh_token":
            if form.get("refresh_token") != self.refresh_token:
                raise oauth_refused(400, "invalid_grant", "The refresh token is invalid")
            return self._give(frozenset(SCOPES), user=True)
        if kind == "authorization_code":
            return self._give(self._redeemed(form), user=True)
        raise oauth_refused(400, "unsupported_grant_type", f"Unsupported grant type: {kind}")

    def _asked(self, scope: str | None) -> frozenset[str]:
        # offline_access asks for a refresh token and is no right of its own.
        asked = frozenset((scope or "monitoring").split()) - {"offline_access"}
        if not asked <= set(SCOPES):
            raise oauth_refused(400, "invalid_scope", "The requested scope is invalid")
        return asked

    def _redeemed(self, form: dict[str, str]) -> frozenset[str]:
        # Taken whatever comes of it: a code is good for one try.
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or code.challenge != challenge or code.redirect != form.get("redirect_uri"):
            raise oauth_refused(400, "invalid_grant", "The authorization code is invalid")
        return code.scopes

    def _give(self, scopes: frozenset[str], *, user: bool) -> Response:
        token = token_urlsafe(24)
        self.tokens[token] = Grant(scopes, user, self.world.now() + timedelta(seconds=LIFE_S))
        body: dict[str, Any] = {
            "access_token": token,
            "expires_in": LIFE_S,
            "scope": " ".join(sorted(scopes)),
            "token_type": "Bearer",
        }
        # Real ones rotate; this one stays, so that it can be given in the environment.
        return JSONResponse({**body, "refresh_token": self.refresh_token} if user else body)

    async def authorize(self, request: Request) -> Response:
        """`GET /ws/oauth/authorize`: the technician agrees at once. A redirect that isn't registered
        gets NinjaOne's misleading 404."""
        asked = request.query_params
        redirect = asked.get("redirect_uri", "")
        # Any loopback port, where the real one wants the registered address to the letter (rmm-apis 1.1):
        # nobody registers one here.
        known = urlsplit(redirect).scheme == "http" and urlsplit(redirect).hostname in _LOOPBACK
        pkce = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
        if asked.get("client_id") != self.client_id or not known or not pkce:
            return JSONResponse(failure(404, "HTTP 404 Not Found").body, 404)
        code = token_urlsafe(16)
        self.codes[code] = _Code(redirect, asked["code_challenge"], self._asked(asked.get("scope")))
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{redirect}{'&' if '?' in redirect else '?'}{back}", 302)


def _client(request: Request, form: dict[str, str]) -> tuple[str | None, str | None]:
    """The client's id and secret, from the form or by Basic."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id"), form.get("client_secret")
    try:
        client, _, secret = base64.b64decode(given).decode().partition(":")
    except ValueError:
        return None, None
    return client, secret
