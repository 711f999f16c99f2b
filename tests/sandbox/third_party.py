"""pyconnectwise, from PyPI, against the sandbox: run by `test_third_party` in an environment of its own.

The client has https:// hard-wired, so its transport is told where the sandbox is.
"""

# mypy: ignore-errors
import os
import sys
from urllib.parse import urlsplit, urlunsplit

import requests
from pyconnectwise import ConnectWiseManageAPIClient

HERE = urlsplit(os.environ["SANDBOX"])


class ToSandbox(requests.adapters.HTTPAdapter):
    def send(self, request, **how):
        request.url = urlunsplit(("http", HERE.netloc, *urlsplit(request.url)[2:]))
        return super().send(request, **how)


requests.sessions.HTTPAdapter = ToSandbox
client = ConnectWiseManageAPIClient(
    os.environ["COMPANY"], HERE.netloc, os.environ["CLIENT_ID"], os.environ["PUBLIC"], os.environ["PRIVATE"]
)
tickets = client.service.tickets.paginated(1, 25, params={"conditions": "closedFlag=false", "orderBy": "id"})
first = tickets.data[0]
change = {"op": "replace", "path": "summary", "value": "Patched by pyconnectwise"}
patched = client.service.tickets.id(first.id).patch([change])
again = client.service.tickets.id(first.id).get()
sys.stdout.write(f"{len(tickets.data)} {patched.summary} / {again.summary}\n")
