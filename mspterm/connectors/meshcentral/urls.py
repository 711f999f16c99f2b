"""The addresses of a MeshCentral server's parts."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from mspterm.config.model import Connection
from mspterm.domain.reasons import Reason, failed

# Where clear text passes no network.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def control_url(connection: Connection) -> str:
    """Where the control websocket is: `wss://host[/domain]/control.ashx`."""
    return f"{_socket(connection)}/control.ashx"


def relay_url(connection: Connection) -> str:
    """Where a tunnel to a device is joined."""
    return f"{_socket(connection)}/meshrelay.ashx"


def relay_path(connection: Connection) -> str:
    """The same place, as its path on the server that an agent is connected to."""
    return f"{_base(connection)}/meshrelay.ashx"


def _socket(connection: Connection) -> str:
    where = urlsplit(connection.url)
    secure = where.scheme in ("https", "wss")
    if not secure and where.hostname not in _LOOPBACK:
        sentence = f"The url of {connection.name} would send its password in clear; make it https."
        raise failed(Reason.REFUSED, sentence, connection.name)
    return f"{'wss' if secure else 'ws'}://{where.netloc}{_base(connection)}"


def device_page(connection: Connection, nodeid: str) -> str:
    """The device's page, for a browser."""
    key = quote(nodeid.rsplit("/", 1)[-1], safe="")
    return f"https://{urlsplit(connection.url).netloc}{_base(connection)}/?gotonode={key}&viewmode=10"


def _base(connection: Connection) -> str:
    domain = connection.settings.get("domain", "").strip("/")
    path = urlsplit(connection.url).path.rstrip("/")
    return f"{path}/{domain}" if domain else path
