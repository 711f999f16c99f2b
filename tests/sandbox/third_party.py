"""pyconnectwise, from PyPI, against the sandbox: run by `test_third_party` in an environment of its own.

The client has https:// hard-wired, so its transport is told where the sandbox is.
"""

# mypy: ignore-errors
import os
from urllib.parse import urlsplit, urlunsplit

import requests
from pyconnectwise import ConnectWiseManageAPIClient
from pyconnectwise.models.manage import PatchOperation

HERE = urlsplit(os.environ["SANDBOX"])


class ToSandbox(requests.adapters.HTTPAdapter):
    def send(self, request, **how):
        request.url = urlunsplit(("http", HERE.netloc, *urlsplit(request.url)[2:]))
        return super().send(request, **how)
