"""The kinds of connection: the settings each has and the secrets it needs."""

from __future__ import annotations

from dataclasses import dataclass

from mspterm.config.keys import Key, Type


@dataclass(frozen=True, slots=True)
class Kind:
    """One connector's part of the config. `serves` is "psa" or "rmm".

    `secrets` are all the fields that may be stored for it. `needs` lists the sets of them of which
    one, whole, is enough to connect.
    """

    name: str
    title: str
    serves: str
    settings: tuple[Key, ...]
    secrets: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]

    def missing(self, found: set[str]) -> tuple[str, ...]:
        """The fields still needed when `found` are there: those of the set that lacks fewest."""
        return min((tuple(f for f in fields if f not in found) for fields in self.needs), key=len)


def _url(
    sample: str, *, required: bool = True, comment: str = "Address of the server", schemes: str = "https"
) -> Key:
    return Key("url", Type.URL, comment, sample=sample, required=required, choices=tuple(schemes.split()))


def _text(name: str, comment: str, sample: str, *, required: bool = True) -> Key:
    return Key(name, Type.TEXT, comment, sample=sample, required=required)


def _kind(name: str, title: str, serves: str, settings: tuple[Key, ...], *needs: tuple[str, ...]) -> Kind:
    fields = tuple(dict.fromkeys(field for fields in needs for field in fields))
    return Kind(name, title, serves, settings, fields, needs)


_API_ID = "Client id of the API application"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "connectwise",
            "ConnectWise PSA",
            "psa",
            (
                _url("https://api-na.myconnectwise.net"),
                _text("company", "Company id used at login", "acme"),
                _text(
                    "client_id",
                    # Each MSP needs its own: an open-source tool must not share one (psa-apis 1.2).
                    "Client id from developer.connectwise.com",
                    "11111111-2222-3333-4444-555555555555",
                ),
            ),
            ("public_key", "private_key"),
        ),
        _kind(
            "autotask",
            "Autotask PSA",
            "psa",
            (
                _url(
                    "https://webservices5.autotask.net",
                    required=False,
                    comment="Address of the zone, /ATServicesRest/ or not; found by itself where left out",
                ),
                _text("username", "API user's name (the key, an e-mail address)", "api@acme.example"),
            ),
            ("integration_code", "secret"),
        ),
        _kind(
            "halopsa",
            "HaloPSA",
            "psa",
            (
                _url("https://acme.halopsa.com"),
                _text("tenant", "Tenant name, for hosted instances", "acme", required=False),
                _text("client_id", _API_ID, "11111111-2222-3333-4444-555555555555"),
            ),
            ("client_secret",),
        ),
        _kind("rt", "Request Tracker", "psa", (_url("https://rt.example.org"),), ("token",)),
        _kind("zammad", "Zammad", "psa", (_url("https://zammad.example.org"),), ("token",)),
        _kind("syncro", "Syncro", "psa", (_url("https://acme.syncromsp.com"),), ("token",)),
        _kind("itflow", "ITFlow", "psa", (_url("https://itflow.example.org"),), ("api_key",)),
        _kind("alga", "Alga PSA", "psa", (_url("https://alga.example.org"),), ("api_key",)),
        _kind(
            "ninjaone",
            "NinjaOne",
            "rmm",
            (
                _url("https://app.ninjarmm.com"),
                _text("client_id", _API_ID, "abcdefghijklmnop"),
                Key(
                    # Given and not drawn: the redirect must match the registered one exactly (rmm-apis 1.1).
                    "redirect_port",
                    Type.COUNT,
                    "Loopback port that `auth login` listens on; must match the application's redirect URI",
                    sample=8400,
                    low=1024,
                    high=65535,
                ),
            ),
            # A machine's secret only reads; scripts need a user behind the token (user_context_required).
            ("client_secret",),
            ("refresh_token",),
        ),
        _kind(
            "datto_rmm",
            "Datto RMM",
            "rmm",
            (
                _url(
                    "https://pinotage-api.centrastage.net", comment="Address of the API, with or without /api"
                ),
            ),
            ("api_key", "api_secret"),
        ),
        _kind("tactical", "Tactical RMM", "rmm", (_url("https://api.rmm.example.org"),), ("api_key",)),
        _kind(
            "meshcentral",
            "MeshCentral",
            "rmm",
            (
                _url("https://mesh.example.org", schemes="https wss"),
                _text("username", "Account, or the user name of a login token", "~t:abcdefghijklmnop"),
                _text("domain", "Domain of the server, where it has several", "acme", required=False),
            ),
            ("password",),
        ),
        _kind(
            "zabbix",
            "Zabbix",
            "rmm",
            (
                _url("https://zabbix.example.org"),
                # Also for scripts: `script.execute` with an API token is HTTP 500 on 6.0.14.
                _text("username", "User name, for servers without API tokens", "oncall", required=False),
            ),
            ("token",),
            ("password",),
        ),
    )
}

RESERVED = "journal"
"""No connection has this name: the journal's key and head are kept under it, and the technician's own
key that signs approvals."""

APPROVAL_FIELD = "approval"
RESERVED_FIELDS = ("key", "head", APPROVAL_FIELD)


def secret_variable(connection: str, field: str) -> str:
    """The environment variable that can hold a secret: MSPTERM_SECRET_<CONNECTION>_<FIELD>."""
    # Two pairs can give one name (a_b + c, a + b_c): `load` refuses the connections that would.
    return f"MSPTERM_SECRET_{connection}_{field}".upper()
