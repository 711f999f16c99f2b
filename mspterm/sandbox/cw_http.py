"""How ConnectWise is spoken to: who may, in what form, and how it refuses."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from mspterm.sandbox.cw_rows import Row

# Above it the guide sends to /search (psa-apis 1.3).
LONGEST_URL = 10_000
DEFAULT_PAGE, LARGEST_PAGE = 25, 1000
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Refused(Exception):
    """An answer other than success. `errors` are (code, message, field)."""

    def __init__(self, status: int, code: str, message: str, *errors: tuple[str, str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "code": code,
            "message": message,
            "errors": [
                {"code": code, "message": message, "resource": "ticket", "field": field}
                for code, message, field in errors
            ]
            or None,
        }


def invalid(what: str, field: str, message: str, code: str = "InvalidField") -> Refused:
    """The 400 of a body that doesn't hold what it must."""
    return Refused(400, "InvalidObject", f"{what} object is invalid", (code, message, field))


def not_found(what: str, id: int | str) -> Refused:
    return Refused(404, "NotFound", f"{what} {id} not found")


@dataclass(frozen=True, slots=True)
class Keys:
    """The API member's keys, and the client id that goes with every call."""

    company: str
    public: str
    private: str
    client_id: str

    def check(self, request: Request) -> None:
        """Refuses whoever isn't the API member (401)."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        wanted = base64.b64encode(f"{self.company}+{self.public}:{self.private}".encode()).decode()
        if scheme.lower() != "basic" or given.strip() != wanted:
            raise Refused(401, "Unauthorized", "The credentials are missing or invalid.")
        # Any GUID will do: it tells who made the integration, not whose tenant it is.
        if not _GUID.fullmatch(request.headers.get("clientid", "")):
            raise Refused(401, "Unauthorized", "The clientId header is missing or is not a valid client id.")


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(value)
    return Response(body, status, headers=headers, media_type="application/json")


async def body_of(request: Request) -> Any:
    """The request's JSON. Refuses another content type (415) and what isn't JSON (400)."""
    if "json" not in request.headers.get("content-type", ""):
        raise Refused(415, "UnsupportedMediaType", "The request entity's media type is not supported.")
    try:
        return msgspec.json.decode(await request.body())
    except msgspec.DecodeError:
        raise Refused(400, "InvalidJson", "The request body is not valid JSON.") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for. `after`: forward-only paging, ids above it."""

    number: int
    size: int
    after: int | None
    fields: tuple[str, ...]

    def cut(self, found: list[Any]) -> list[Any]:
        # Forward-only, `page` is ignored (psa-apis 1.3): `found` begins behind `after` already.
        start = 0 if self.after is not None else (self.number - 1) * self.size
        return found[start : start + self.size]


def page_of(request: Request) -> Page:
    """Refuses pages of more than a thousand rows, and ordering where paging is forward-only (400)."""
    query = request.query_params
    size, number = _number(query, "pageSize", DEFAULT_PAGE), _number(query, "page", 1)
    if not 1 <= size <= LARGEST_PAGE:
        raise Refused(400, "InvalidParameter", f"pageSize must be between 1 and {LARGEST_PAGE}.")
    if number < 1:
        raise Refused(400, "InvalidParameter", "page must be 1 or more.")
    fields = tuple(field.strip() for field in query.get("fields", "").split(",") if field.strip())
    after = None
    if request.headers.get("pagination-type", "").lower() == "forward-only":
        if "orderBy" in query:
            raise Refused(400, "InvalidParameter", "orderBy is not allowed with forward-only pagination.")
        after = _number(query, "pageId", 0)
    return Page(number, size, after, fields)


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise Refused(400, "InvalidParameter", f"{name} must be a number.")
    return int(text)


def link(request: Request, page: Page, count: int, last_id: int | None) -> dict[str, str]:
    """The Link header: the only way to know that there is more."""
    more = count > page.size if page.after is not None else count > page.number * page.size
    if page.after is not None:
        return {"Link": _rel(request, "next", pageId=last_id)} if more else {}
    last = max(1, -(-count // page.size))
    rels = []
    if page.number > 1:
        rels += [_rel(request, "first", page=1), _rel(request, "prev", page=min(page.number - 1, last))]
    if more:
        rels += [_rel(request, "next", page=page.number + 1), _rel(request, "last", page=last)]
    return {"Link": ", ".join(rels)} if rels else {}


def _rel(request: Request, name: str, **change: int | None) -> str:
    """The page is the last of the parameters: a public client looks for it just before the `>`."""
    kept = {key: value for key, value in request.query_params.items() if key not in change}
    query = urlencode({**kept, **change})
    return f'<{request.url.replace(query=query)}>; rel="{name}"'


def only(row: Row, fields: tuple[str, ...]) -> Row:
    """The fields asked for, `status/name` as a status with a name; all where none is named."""
    if not fields:
        return row
    found: Row = {}
    for path in fields:
        _copy(row, found, path.split("/"))
    return found


def _copy(row: Row, into: Row, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    if name not in row:
        return
    if rest and isinstance(row[name], dict):
        _copy(row[name], into.setdefault(name, {}), rest)
    else:
        into[name] = row[name]
