"""A ConnectWise run whose budget has nothing left for what can wait."""

from __future__ import annotations

from mspterm.connectors.base import Batch
from mspterm.domain.reasons import Reason, failed
from mspterm.net.pacer import CallClass, FreePacer
from tests.connectors.fake_connectwise import FakeCw, connector, row


class NothingForPrefetch(FreePacer):
    async def turn(self, connection: str, kind: CallClass) -> None:
        if kind == "prefetch":
            raise failed(Reason.RATE_LIMIT, "no prefetch call left", connection)


LINKED = "/configurations"


async def run(pacer: FreePacer) -> tuple[FakeCw, Batch]:
    fake = FakeCw(tickets={7: row(7), 8: row(8)})
    [*_, last] = [batch async for batch in connector(fake, pacer=pacer).feed(None, full=True)]
    return fake, last


async def test_a_run_goes_on_without_what_prefetch_has_no_call_left_for() -> None:
    fake, last = await run(NothingForPrefetch())
    assert last.full
    assert last.cursor is not None
    paths = [r.url.path for r in fake.requests]
    assert not [p for p in paths if p.endswith(LINKED) and "/tickets/" in p]
    fake, _ = await run(FreePacer())
    assert [p for p in (r.url.path for r in fake.requests) if p.endswith(LINKED) and "/tickets/" in p]
