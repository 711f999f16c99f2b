"""What an alert is about, told by its words: the condition, and whose service it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from mspterm.domain.folding import fold

# The first that matches decides: "offline" and "load" are said of anything, so what names the thing
# itself stands before them.
_CONDITIONS = (
    ("backup", r"backup|veeam|repository|snapshot|replication job"),
    ("certificate", r"certificate|\bssl\b|\btls\b"),
    ("disk health", r"\bs\.?m\.?a\.?r\.?t\b|predictive fail|raid|degraded|bad (?:sector|block)"),
    ("disk space", r"disk|volume|free space|low space|storage full|\b[a-z]: .*(?:full|free)"),
    ("security", r"malware|virus|ransom|threat|suspicious|sign-in|phish|\bedr\b|brute"),
    ("power", r"\bups\b|on battery|power (?:fail|loss|supply)|temperature"),
    ("tunnel", r"vpn|tunnel|ipsec"),
    (
        "offline",
        r"offline|not? reach|unreachable|is down|\bdown\b|not respond|no response|heartbeat|\bping|agent miss"
        r"|lost connect|connection lost|disconnected|timed? ?out|packet loss|outage|no internet|host .*lost",
    ),
    ("service", r"service|spooler|process .*stopp|stopped"),
    ("patches", r"\bpatch|windows update|reboot"),
    ("load", r"\bcpu\b|memory|\bram\b|\bload\b|slow"),
    ("mail", r"\bmail|outlook|exchange|smtp|mailbox"),
)
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _CONDITIONS)
_VARYING = re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8,}\b|\d+(?:[.:/-]\d+)*\s*(?:%|[kmgt]i?b\b)?")

PROVIDERS: tuple[str, ...] = (
    *("Microsoft 365", "Office 365", "M365", "Exchange Online", "Azure", "Teams", "OneDrive", "SharePoint"),
    *(
        "Google Workspace",
        "AWS",
        "Cloudflare",
        "Okta",
        "Duo",
        "Datto",
        "NinjaOne",
        "ConnectWise",
        "Veeam Cloud",
    ),
    *("Comcast", "Spectrum", "Verizon", "AT&T", "Cox", "Lumen", "CenturyLink", "Frontier", "Charter"),
    *("Telekom", "Vodafone", "BT", "Virgin Media", "Orange", "Swisscom", "Telstra"),
)
"""Vendors, carriers and clouds whose fault shows at many clients; the config may name others."""
# One service under several names would stay below the number of clients that makes a provider's storm.
_SAME = {"office 365": "microsoft 365", "m365": "microsoft 365", "exchange online": "microsoft 365"}
DOWN = frozenset({"offline", "tunnel", "power"})
"""Conditions that one cause spreads over a site."""
SYMPTOMS = frozenset({"service", "backup", "mail", "load"})
"""Conditions that follow where something is down, and prove nothing by themselves."""


@lru_cache(maxsize=16_384)
def condition_of(text: str, device: str | None = None) -> str:
    """The condition that a subject tells of; of one that no pattern knows the words without the
    device's name and without what varies (numbers, sizes, times)."""
    words = fold(text)
    # A host called BACKUP01 tells of no backup.
    if device:
        words = words.replace(device, " ")
    for name, pattern in _PATTERNS:
        if pattern.search(words):
            return name
    return " ".join(_VARYING.sub(" ", words).split())


def provider_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Finds any of the names as whole words, the longest first; None where there are none."""
    # `|` takes the first name that fits, so one that is within another comes after it.
    parts = sorted({fold(name) for name in names if name.strip()}, key=lambda n: (-len(n), n))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, parts))})(?!\w)") if parts else None


def provider_in(text: str, pattern: re.Pattern[str] | None) -> str | None:
    """The provider that a subject names, under one name where it has several."""
    found = pattern.search(fold(text)) if pattern is not None else None
    return None if found is None else _SAME.get(found[0], found[0])
