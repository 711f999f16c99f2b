"""ConnectWise PSA's REST API over the sandbox's world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from mspterm.sandbox import catalogue as desk
from mspterm.sandbox import cw_bundles, cw_writes
from mspterm.sandbox.cw_ask import Ask
from mspterm.sandbox.cw_configurations import CONFIGURATION_OFFSET, Configurations
from mspterm.sandbox.cw_http import (
    LONGEST_URL,
    Keys,
    Page,
    Refused,
    answer,
    body_of,
    link,
    not_found,
    only,
    page_of,
)
from mspterm.sandbox.cw_query import TicketLists, query_of, rows_matching
from mspterm.sandbox.cw_rows import (
    CODEBASE,
    HIDDEN,
    TICKET,
    Row,
    View,
    all_note_rows,
    note_row,
    ticket_row,
)
from mspterm.sandbox.cw_setup import LISTINGS, Listing
from mspterm.sandbox.faults import CONNECTWISE
from mspterm.sandbox.life import Life
from mspterm.sandbox.tickets import Ticket

Handler = Callable[[Ask], Awaitable[Response]]
# Whether 2022.1 rows lack the *GoalUTC fields isn't known (psa-apis 1.5): here they do, so that a
# client's reading of `slaStatus` is tried.
_PINNED = "version=2022.1"
# The second is the only one on-premises, and an alias in the cloud (psa-apis 1.1).
_BASES = (CODEBASE, "v4_6_release/")


@dataclass(slots=True)
class ConnectWise:
    """The server's state besides the world: its keys and its remembered lists."""

    life: Life
    keys: Keys
    lists: dict[bool, TicketLists] = field(
        default_factory=lambda: {project: TicketLists(project) for project in (False, True)}
    )
    configurations: Configurations = field(default_factory=Configurations)

    def app(self) -> Starlette:
        routes = self._routes()
        return Starlette(
            routes=[
                Route("/login/companyinfo/{company}", self._company_info),
                *(Mount(f"/{base}apis/3.0", routes=routes) for base in _BASES),
            ],
            exception_handlers={404: _no_route, 405: _no_method},
        )

    async def _company_info(self, request: Request) -> Response:
        """Needs no credentials; an unknown company is a JSON null."""
        if request.path_params["company"].lower() != self.keys.company:
            return JSONResponse(None)
        return answer(
            {
                "CompanyName": desk.MSP,
                "Codebase": CODEBASE,
                "VersionCode": "v2025.1",
                "VersionNumber": "v4.6.93218",
                "CompanyID": self.keys.company,
                "IsCloud": True,
            }
        )

    def _routes(self) -> list[Route]:
        listings = [route for listing in LISTINGS for route in self._listing_routes(listing)]
        return [
            *self._ticket_routes(),
            self._route("POST", "/time/entries", cw_writes.add_time),
            self._route("POST", "/schedule/entries", cw_writes.schedule),
            self._route("GET", "/system/info", _system_info),
            self._route("GET", "/company/configurations", self.configurations.page),
            self._route("GET", "/company/configurations/count", self.configurations.count),
            self._route("GET", "/company/configurations/{id:int}", self.configurations.one),
            # As for a role without the module: 403 (psa-apis 1.2).
            self._route("GET", "/finance/{rest:path}", _no_role),
            *listings,
        ]

    def _ticket_routes(self) -> list[Route]:
        here = "/service/tickets/{id:int}"
        return [
            self._route("GET", "/service/tickets", self._tickets(project=False)),
            self._route("GET", "/service/tickets/count", self._count(project=False)),
            self._route("POST", "/service/tickets/search", self._search),
            self._route("GET", "/project/tickets", self._tickets(project=True)),
            self._route("GET", "/project/tickets/count", self._count(project=True)),
            self._route("GET", here, _one_ticket(project=False)),
            self._route("GET", "/project/tickets/{id:int}", _one_ticket(project=True)),
            self._route("GET", f"{here}/notes", _notes),
            self._route("GET", "/project/tickets/{id:int}/notes", _notes),
            self._route("GET", here + "/notes/{note:int}", _one_note),
            self._route("GET", f"{here}/allNotes", _all_notes),
            self._route("GET", f"{here}/configurations", _ticket_configurations),
            self._route("GET", f"{here}/timeentries", _ticket_times),
            *(self._route("GET", f"{here}/{name}", _nothing) for name in ("documents", "tasks", "products")),
            self._route("POST", "/service/tickets", cw_writes.create),
            self._route("PATCH", here, cw_writes.patch),
            self._route("PATCH", "/project/tickets/{id:int}", cw_writes.patch),
            self._route("DELETE", here, _no_role),
            self._route("POST", f"{here}/notes", cw_writes.add_note),
            self._route("POST", f"{here}/merge", cw_bundles.merge),
            self._route("POST", f"{here}/attachChildren", cw_bundles.attach_children),
            self._route("POST", f"{here}/configurations", cw_writes.attach_configuration),
            self._route(
                "DELETE", here + "/configurations/{configuration:int}", cw_writes.detach_configuration
            ),
        ]

    def _listing_routes(self, listing: Listing) -> list[Route]:
        path = f"/{listing.path}"

        def rows(ask: Ask) -> list[Row]:
            return listing.rows(ask.view, int(ask.request.path_params.get("parent", 0)))

        async def many(ask: Ask) -> Response:
            return _page(ask, rows(ask), listing.fields)

        async def count(ask: Ask) -> Response:
            return _counted(ask, rows(ask), listing.fields)

        async def one(ask: Ask) -> Response:
            found = next((row for row in rows(ask) if row["id"] == ask.number("id")), None)
            if found is None:
                raise not_found(listing.path.rpartition("/")[2], ask.number("id"))
            return answer(only(found, page_of(ask.request).fields))

        return [
            self._route("GET", path, many),
            self._route("GET", f"{path}/count", count),
            self._route("GET", path + "/{id:int}", one),
        ]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            # Before the faults: a throttling that is due by now meets this very request.
            now = self.life.advance()
            try:
                if wait := self.life.faults.retry_after(CONNECTWISE, now):
                    return _throttled(wait)
                if self.life.faults.take_break(CONNECTWISE):
                    # HTML, as what stands in front of the API answers so: a client must not count on JSON.
                    return Response("<h1>503 Service Unavailable</h1>", 503, media_type="text/html")
                self.keys.check(request)
                if len(str(request.url)) > LONGEST_URL:
                    return Response("URI Too Long", 414, media_type="text/plain")
                return await handler(Ask(request, self._view(request), self.life))
            except Refused as refused:
                return answer(refused.body, refused.status)

        return Route(path, endpoint, methods=[method])

    def _view(self, request: Request) -> View:
        base = f"{request.url.scheme}://{request.url.netloc}/{CODEBASE}apis/3.0"
        return View(self.life.world, base, _PINNED in request.headers.get("accept", ""))

    def _tickets(self, *, project: bool) -> Handler:
        async def handler(ask: Ask) -> Response:
            return self._ticket_page(ask, dict(ask.request.query_params), project=project)

        return handler

    async def _search(self, ask: Ask) -> Response:
        asked = await body_of(ask.request)
        if not isinstance(asked, dict):
            raise Refused(400, "InvalidObject", "The body must be an object with conditions.")
        text = {name: str(value) for name, value in asked.items() if value is not None}
        return self._ticket_page(ask, text, project=False)

    def _ticket_page(self, ask: Ask, asked: dict[str, str], *, project: bool) -> Response:
        page = page_of(ask.request)
        query = query_of(asked, TICKET.keys() | HIDDEN.keys())
        found = self.lists[project].matching(ask.view, query, page)
        ids = page.cut(found)
        # Cut first: of ten thousand matches only a page is made into rows.
        rows = [_ticket_fields(ask.view, ask.world.ticket(number), page.fields) for number in ids]
        return answer(rows, headers=link(ask.request, page, len(found), ids[-1] if ids else None))

    def _count(self, *, project: bool) -> Handler:
        async def handler(ask: Ask) -> Response:
            query = query_of(dict(ask.request.query_params), TICKET.keys() | HIDDEN.keys())
            return answer({"count": len(self.lists[project].matching(ask.view, query, None))})

        return handler


def _ticket_fields(view: View, ticket: Ticket | None, fields: tuple[str, ...]) -> Row:
    assert ticket is not None
    if not fields:
        return ticket_row(view, ticket)
    names = {path.split("/")[0] for path in fields} & TICKET.keys()
    row = {name: value for name in names if (value := TICKET[name](view, ticket)) is not None}
    return only(row, fields)


def _page(ask: Ask, rows: list[Row], fields: tuple[str, ...] = ()) -> Response:
    page = page_of(ask.request)
    found = rows_matching(rows, query_of(dict(ask.request.query_params), _known(rows, fields)), page)
    cut = page.cut(found)
    headers = link(ask.request, page, len(found), cut[-1]["id"] if cut else None)
    return answer([only(row, page.fields) for row in cut], headers=headers)


def _counted(ask: Ask, rows: list[Row], fields: tuple[str, ...] = ()) -> Response:
    query = query_of(dict(ask.request.query_params), _known(rows, fields))
    return answer({"count": len(rows_matching(rows, query, Page(1, 1, None, ())))})


def _known(rows: list[Row], fields: tuple[str, ...]) -> set[str]:
    # An empty list has no row to take names from: `fields` says what may be asked of it all the same.
    return {name for row in rows for name in row} | set(fields)


def _one_ticket(*, project: bool) -> Handler:
    async def handler(ask: Ask) -> Response:
        ticket = ask.ticket(project=project)
        return answer(_ticket_fields(ask.view, ticket, page_of(ask.request).fields))

    return handler


async def _notes(ask: Ask) -> Response:
    return _page(ask, [note_row(ask.view, note) for note in ask.world.notes(ask.ticket())])


async def _one_note(ask: Ask) -> Response:
    found = next((note for note in ask.world.notes(ask.ticket()) if note.id == ask.number("note")), None)
    if found is None:
        raise not_found("Note", ask.number("note"))
    return answer(note_row(ask.view, found))


async def _all_notes(ask: Ask) -> Response:
    ticket = ask.ticket()
    times = [entry for entry in ask.world.times.values() if entry.ticket == ticket.id]
    return _page(ask, all_note_rows(ask.view, ask.world.notes(ticket), times))


async def _ticket_times(ask: Ask) -> Response:
    ticket = ask.ticket()
    return _page(ask, [{"id": e.id} for e in ask.world.times.values() if e.ticket == ticket.id])


async def _ticket_configurations(ask: Ask) -> Response:
    rows = []
    for number in ask.ticket().configurations:
        link_ = f"{ask.view.base}/company/configurations/{number + CONFIGURATION_OFFSET}"
        rows.append(
            {
                "id": number + CONFIGURATION_OFFSET,
                "deviceIdentifier": str(number),
                "_info": {"configuration_href": link_},
            }
        )
    return _page(ask, rows)


async def _nothing(ask: Ask) -> Response:
    ask.ticket()
    return answer([])


async def _system_info(ask: Ask) -> Response:
    return answer({"version": "v2025.1.93218", "isCloud": True, "serverTimeZone": "Eastern Standard Time"})


async def _no_role(ask: Ask) -> Response:
    raise Refused(403, "Forbidden", "The security role of this member does not allow it.")


def _throttled(seconds: int) -> Response:
    # Word for word as published (psa-apis 0.1).
    message = f"Too many requests. Please try again in {seconds} seconds."
    return answer({"error": "ConnectWiseAPI", "message": message}, 429, {"Retry-After": str(seconds)})


async def _no_route(request: Request, error: Any) -> Response:
    return answer(Refused(404, "NotFound", "The resource was not found.").body, 404)


async def _no_method(request: Request, error: Any) -> Response:
    return answer(Refused(405, "MethodNotAllowed", "The method is not allowed here.").body, 405)
