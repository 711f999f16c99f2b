"""A vendor whose every string attacks the terminal: what security.md 2.2 lists, in every field."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.connectors.fake_meshcentral import GROUP, NODE, FakeMesh, Message
from tests.connectors.fake_rt import Call, FakeRt, row

_COPY = "52;c;Y3VybCBldmlsfHNo"
_TAG_E = "\U000e0065\U000e0076\U000e0069\U000e006c"
ATTACKS: tuple[str, ...] = (
    "".join(map(chr, range(0x20))),
    "".join(map(chr, range(0x7F, 0xA0))),
    f"\x1b]{_COPY}\x1b\\",
    f"\x1b]{_COPY}\x07",
    f"\x9d{_COPY}\x9c",
    f"\x1b]{_COPY}",
    "\x1b]0;pwned\x07\x1b]2;pwned\x1b\\\x9d2;pwned\x9c",
    "\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\\x9d8;;https://evil.test\x9clink",
    f"\x1bPtmux;\x1b\x1b]{_COPY}\x07\x1b\\",
    f"\x90tmux;\x1b]{_COPY}\x07\x9c",
    "\x1b[2J\x1b[H\x9b2J\x9b?1049l\x1b[?1003h\x1b[31mred\x1b[6n\x1bc\x1b[!p",
    "\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\\x9fapc\x9c\x1b(0\x0eqqq\x0f",
    "\u202egpj.exe\u2066\u2069\u200e\u200f\u061c",
    "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh",
    f"tags{_TAG_E}\U000e007f",
    "\u2028line\u2029par\x85nel\x0bvt\x0cff",
    "[/b][/][bold red]rich[/bold red][b]",
    "[@click=app.quit]x[/]",
    "[@click=app.act('claim')]y[/][on red @click=screen.quit]z[/]",
    "[link=https://evil.test]l[/link][link='x']",
    "C:\\x\\[/] \\[b] [a-z]+ [ERROR] x",
    ":smile: :warning: {x} %s $(id) `id`",
    "\U0001f469\u200d\U0001f4bb e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301z\u0336",
)
"""One attack each, short enough to stand in a column of the queue."""


def hostile(number: int) -> str:
    """An attack behind a marker by which it is found on the screen."""
    return f"h{number % len(ATTACKS):02}{ATTACKS[number % len(ATTACKS)]}~"


EVERYTHING = "\n".join(hostile(n) for n in range(len(ATTACKS)))


class HostileRt(FakeRt):
    """One ticket for each attack, with another attack in each of its other fields."""

    def fill(self) -> HostileRt:
        for number in range(1, len(ATTACKS) + 1):
            self.add(_ticket(number))
            self.part(self.record(number, "Create"), EVERYTHING)
            for kind in ("Correspond", "Comment"):
                author = _named(f"n{number}", hostile(number + 7))
                self.part(self.record(number, kind, Creator=author), EVERYTHING)
            self.part(self.record(number, "Comment"), f"<p>{EVERYTHING}</p>", "text/html")
            self.record(number, "Set", Field=hostile(number), OldValue=hostile(1), NewValue=hostile(2))
            file = {"Filename": hostile(number), "Headers": "Content-Length: 12"}
            self.part(self.next_transaction, "", "application/octet-stream", **file)
        unreadable: dict[str, Any] = row(90) | {"id": 90, "Subject": hostile(3), "Created": hostile(4)}
        self.tickets[90], self.transactions[90] = unreadable, []
        return self

    def _search(self, query: dict[str, str]) -> httpx.Response:
        # A status that RT's own list doesn't hold is active too.
        return super()._search({**query, "query": query["query"].replace("__Active__", "")})

    def _route(self, call: Call) -> httpx.Response:
        line = f"{call.method} {call.path}"
        answers: dict[str, Callable[[], list[dict[str, Any]]]] = {
            r"GET /queues/all": lambda: [{"id": n, "Name": hostile(n)} for n in range(3, 6)],
            r"GET /assets": lambda: [_asset(n) for n in range(1, 3)],
            r"GET /users": lambda: [_named("c8", hostile(8), hostile(9))],
        }
        for pattern, made in answers.items():
            if re.fullmatch(pattern, line):
                return httpx.Response(200, json={"items": made(), "total": None, "count": 1})
        if line.startswith("GET /Helpers/"):
            people = [{"value": f"u{n}", "label": hostile(n)} for n in range(len(ATTACKS))]
            return httpx.Response(200, json=people)
        if line.startswith("GET /user/"):
            return httpx.Response(200, json=_named("ines", hostile(2)) | {"WorkPhone": hostile(12)})
        return super()._route(call)


def _ticket(number: int) -> dict[str, Any]:
    asset = {"ref": "refers-to", "type": "asset", "id": str(2 - number % 2)}
    return row(
        number,
        Subject=hostile(number - 1),
        Status=hostile(number) if number % 5 == 0 else "open",
        Priority=hostile(number + 4) if number % 3 == 0 else "50",
        Owner=_named(f"o{number}", hostile(number + 1)),
        Queue={"id": "3", "Name": hostile(number + 2)},
        Requestor=[_named(f"c{number}", hostile(number + 3), hostile(number + 5))],
        CustomFields=[{"id": "2", "name": "Client", "values": [hostile(number + 6)]}],
        _hyperlinks=[asset],
    )


def _named(login: str, name: str, mail: str = "") -> dict[str, Any]:
    return {"id": login, "type": "user", "Name": login, "RealName": name, "EmailAddress": mail}


def _asset(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "Name": device_name(number),
        "Description": hostile(number + 5),
        "CustomFields": [{"id": "3", "name": "Client", "values": [hostile(number + 6)]}],
        "_hyperlinks": [],
    }


def device_name(number: int) -> str:
    return f"DEV{number}" + "".join(ATTACKS[n] for n in (2, 6, 12, 17))


def attack_by_device(mesh: FakeMesh) -> None:
    """Two devices, the first with all of its parts, whose texts are attacks."""
    nodes = mesh.capture("nodes")
    [first] = nodes["nodes"][GROUP]
    told = {"rname": hostile(5), "osdesc": hostile(6), "users": [hostile(7), hostile(16)]}
    second = first | {"_id": NODE.replace("$", "@"), "name": device_name(2), "osdesc": hostile(8)}
    nodes["nodes"][GROUP] = [first | told | {"name": device_name(1)}, second]
    mesh.answer("nodes", nodes)
    mesh.answer("meshes", {"action": "meshes", "meshes": [{"_id": GROUP, "name": hostile(10)}], "tag": ""})
    mesh.answer("getsysinfo", _hardware(mesh.capture("getsysinfo")))
    mesh.answer("getnetworkinfo", _network(mesh.capture("getnetworkinfo")))
    mesh.answer("getNotes", mesh.capture("getNotes2") | {"notes": EVERYTHING})
    events = [
        {"time": "2026-11-24T05:50:44Z", "msg": hostile(n), "username": hostile(n + 1)}
        for n in range(len(ATTACKS))
    ]
    mesh.answer("events", mesh.capture("events-after") | {"events": events})
    services = [{"name": hostile(n), "status": {"state": hostile(n + 1)}} for n in range(len(ATTACKS))]
    mesh.answer("msg:services", mesh.capture("services") | {"value": json.dumps(services)})
    mesh.answer("runcommands", mesh.capture("runcommands-reply") | {"result": EVERYTHING})


def _hardware(report: Message) -> Message:
    names = report["hardware"]["identifiers"]
    report["hardware"]["identifiers"] = {key: hostile(n) for n, key in enumerate(names)}
    report["hardware"]["linux"]["volumes"][0]["mount_point"] = hostile(11)
    report["hardware"]["linux"]["product_serial"] = hostile(13)
    return report


def _network(answer: Message) -> Message:
    answer["netif2"][hostile(14)] = answer["netif2"].pop("eth0")
    return answer


# What may be in the bytes

_CSI = re.compile(r"\x1b\[([?<>=]?)([0-9;]*)([$ ]?[A-Za-z])")
# Our title and notification, and the pointer's shape, which Textual sets.
_OSC = re.compile("\x1b]0;mspterm\x07|\x1b]9;mspterm: [0-9]+ on fire\x07|\x1b]22;(default|pointer|text)\x07")
# Our bell rings between two updates of the screen; a text is always inside of one.
_UPDATE_ENDS = "\x1b[?2026l"
# Textual's modes: alternate screen, cursor, mouse off, focus, bracketed paste, wrap, synchronised
# output, in-band resize; `mouse` adds those that report it.
_MODES = frozenset(["1049", "25", "1004", "2004", "7", "2026", "2048"])
_MOUSE = frozenset(["1000", "1003", "1006", "1015", "1016"])


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in the bytes that nobody who draws a console writes."""

    what: str
    around: str


def strays(sent: bytes, *, mouse: bool = False) -> list[Stray]:
    """All that is no sequence of Textual's, no title of ours, and no character that prints."""
    text, at, found = sent.decode("utf-8"), 0, []
    while at < len(text):
        char = text[at]
        match = _CSI.match(text, at)
        if match and _ours(match, mouse):
            at = match.end()
        elif osc := _OSC.match(text, at):
            at = osc.end()
        elif char in "\r\n" or not _hidden(char) or (char == "\x07" and text.endswith(_UPDATE_ENDS, 0, at)):
            at += 1
        else:
            found.append(Stray(match[0] if match else char, text[max(0, at - 40) : at + 40]))
            at += 1
    return found


def _ours(match: re.Match[str], mouse: bool) -> bool:
    prefix, numbers, final = match.groups()
    if not prefix:
        return final in ("H", "m", "c") or match[0] in ("\x1b[2J", "\x1b[J", "\x1b[6n", "\x1b[18t")
    if prefix == "?" and final in ("h", "l"):
        allowed = _MODES | _MOUSE if mouse or final == "l" else _MODES
        return all(number in allowed for number in numbers.split(";"))
    return (prefix, final) in (("?", "$p"), ("?", "u"), (">", "u"), ("<", "u"), ("=", "u"))


def _hidden(char: str) -> bool:
    """Obeyed by a terminal or hidden from the reader. A joiner inside an emoji is neither."""
    return char != "\u200d" and (
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xE0000 <= ord(char) <= 0xE0FFF
    )


def lone_joiners(text: str) -> list[str]:
    """Zero-width joiners outside an emoji."""
    return re.findall(r"[\x00-\u2190]\u200d.?", text)
