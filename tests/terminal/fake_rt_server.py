"""Vendors' servers on loopback for a console or a verb that runs in a process of its own."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import httpx

from tests.connectors.fake_meshcentral import FakeMesh, running
from tests.connectors.fake_rt import FakeRt

# What the socket's own server writes, or what holds only for an answer in memory.
_OWN_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection", "date"})


class RtServer:
    """Serves one FakeRt over HTTP/1.1; its clock is the real one, so that deltas find what is new."""

    def __init__(self, rt: FakeRt) -> None:
        self.rt = rt
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> RtServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.rt.now = datetime.now(UTC)
            try:
                return self.rt.answer(request)
            except KeyError:
                return httpx.Response(404, json={"message": "Not Found"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_call(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = f"{server.url}{self.path}"
                request = httpx.Request(self.command, url, headers=dict(self.headers.items()), content=body)
                made = server.answer(request)
                self.send_response(made.status_code)
                for name, value in made.headers.items():
                    if name.lower() not in _OWN_HEADERS:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(made.content)))
                self.end_headers()
                self.wfile.write(made.content)

            do_GET = do_POST = do_PUT = handle_one_call

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


class MeshServer:
    """Runs one FakeMesh in a thread with a loop of its own; its answers may be set at any time."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.fake: FakeMesh

    def __enter__(self) -> MeshServer:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fake MeshCentral did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return self.fake.url

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with running(self._shared) as self.fake:
            self._ready.set()
            await self._over.wait()
