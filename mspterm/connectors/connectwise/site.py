"""Where a tenant's API is: its host by the cloud's rule, its codebase by asking."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from mspterm.connectors.connectwise.wire import CompanyInfo
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.text import clean
from mspterm.net.faults import Answered
from mspterm.net.http import Http

DEFAULT_CODEBASE = "v4_6_release/"
"""On-premises servers have no other, and the cloud takes it as an alias."""

_CLOUD = re.compile(r"(api-)?((?:na|eu|au|aus|za|staging)\.myconnectwise\.net|staging\.connectwisedev\.com)")
# It becomes part of every path that the key is sent to, so it is not taken as it comes.
_CODEBASE = re.compile(r"[A-Za-z0-9_.-]{1,40}/?")
# Most 404s are just a missing ticket, which must not cost a second question each time.
_ASK_AGAIN = timedelta(minutes=10)


def api_origin(url: str) -> str:
    """The API's origin for an address as people know it: `na.` becomes `api-na.` in the cloud."""
    return _origin(url, "api-")


def site_origin(url: str) -> str:
    """The web interface's origin, where companyinfo is asked without a login."""
    return _origin(url, "")


def _origin(url: str, prefix: str) -> str:
    found = httpx.URL(url)
    cloud = _CLOUD.fullmatch(found.host)
    # On the bare name, as a url may be given with `api-` or without.
    netloc = prefix + cloud[2] if cloud else found.netloc.decode("ascii")
    return f"{found.scheme}://{netloc}"


class Codebase:
    """The path that a tenant's version is under. It changes with an upgrade of the cloud."""

    def __init__(self, http: Http, company: str, name: str, now: Callable[[], datetime]) -> None:
        self._http, self._company, self._name, self._now = http, company, name, now
        self._found: str | None = None
        self._asked: datetime | None = None

    async def get(self) -> str:
        """Asked once. Raises Failed (refused) where the site doesn't know the company."""
        if self._found is None:
            self._asked, self._found = self._now(), await self._ask()
        return self._found

    async def moved(self) -> bool:
        """Whether it is another by now: what a 404 of every path means after an upgrade."""
        if self._asked is not None and self._now() - self._asked < _ASK_AGAIN:
            return False
        old, self._found = self._found, None
        return await self.get() != old

    async def _ask(self) -> str:
        try:
            answer = await self._http.get("/login/companyinfo/{company}", company=self._company)
        except Answered as error:
            # These two: an old server on premises, which has no companyinfo.
            if error.status not in (404, 405):
                raise
            return DEFAULT_CODEBASE
        if answer.body.strip() == b"null":
            sentence = (
                f"ConnectWise knows no company id {clean(self._company)}; set `company` of {self._name} to the "
                f"one that you type at login."
            )
            raise failed(Reason.REFUSED, sentence, self._name)
        found = self._http.decode(answer, CompanyInfo).codebase or DEFAULT_CODEBASE
        return f"{found.rstrip('/')}/" if _CODEBASE.fullmatch(found) else DEFAULT_CODEBASE
