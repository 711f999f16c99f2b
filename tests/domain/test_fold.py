"""Mail made readable: HTML to text, quoted replies and signatures folded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.fold import Folded, fold, html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<ul><li>x<li>y</ul>", "- x\n- y"),
        (
            "<table><tr><td>CPU</td><td>97 %</td></tr><tr><td>RAM</td><td>4 %</td></tr></table>",
            "CPU  97 %\nRAM  4 %",
        ),
        ("  lots \n\n of\t space  ", "lots of space"),
        ("a &amp; b &lt;c&gt; &#8364; &nbsp;d", "a & b <c> € d"),
        ("<style>p{}</style><script>x()</script><title>t</title>seen", "seen"),
        ("<head><meta x><body>seen", "seen"),
        ('<a href="https://a.example/x">here</a>', "here (https://a.example/x)"),
        ('<a href="https://a.example/">https://a.example</a>', "https://a.example"),
        ('<a href="mailto:i@a.example">i@a.example</a>', "i@a.example"),
        ('<a href="javascript:x()">here</a>', "here"),
        ('<a href="https://a.example">open <b>now', "open now (https://a.example)"),
        ("new<blockquote>old<blockquote>older</blockquote></blockquote>", "new\n> old\n> > older"),
        ("<pre>a\n  b\n</pre>", "a\n  b"),
        ("a<!-- hidden -->b<![endif]>c", "abc"),
        ("a<<!-- -->![if x]>b", "a<![if x]>b"),
        ("a < b and c", "a < b and c"),
        ("seen<!-- unclosed <p>gone", "seen"),
        ("", ""),
    ],
)
def test_html_becomes_lines_of_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


TAGS = ["<p>", "</p>", "<div", "<blockquote>", "</blockquote>", "<script>", "</script>", "<pre>", "<td>"]
SHARDS = [
    ">",
    "<",
    "&",
    "&#",
    "&#x110000;",
    "<!--",
    "-->",
    "<![CDATA[",
    "<!",
    "</",
    "<?",
    "![",
    "<a href='",
    "'>",
]
tags = st.sampled_from([*TAGS, *SHARDS, "\x00", " ", "\n"])


@given(st.lists(tags | st.text(max_size=3), max_size=60).map("".join))
def test_any_html_gives_text_without_runs_of_empty_lines(html: str) -> None:
    assert "\n\n\n" not in html_to_text(html) or "<pre" in html


@pytest.mark.parametrize(
    "piece",
    [
        "<blockquote>",
        "<div>",
        "<a href='x'>",
        "<!--",
        "<",
        "&#",
        "<p",
        "<td>",
        "</",
        "<br>",
        "<![",
        "<?",
        "<a x='>",
    ],
)
def test_hostile_html_ends_with_text_in_proportion(piece: str) -> None:
    # Where time were quadratic in this length, the test's time limit would end it.
    text = html_to_text("kept" + piece * 300_000)
    assert text.startswith("kept")
    assert len(text) <= 60 + len(piece) * 300_000


REPLY = "It works again, thank you."
HEADS = [
    "On Tue, 3 Nov 2026 at 09:12, Ines Duarte <ines@msp.example> wrote:",
    "On Tue, 3 Nov 2026 at 09:12, Ines Duarte via the Service Desk\n<desk@msp.example> wrote:",
    "Am 03.11.2026 um 09:12 schrieb Ines Duarte:",
    "Am Di., 3. Nov. 2026 um 09:12 Uhr schrieb Ines Duarte <ines@msp.example>:",
    "Le mar. 3 nov. 2026 à 09:12, Ines Duarte <ines@msp.example> a écrit :",
    "El mar, 3 nov 2026 a las 9:12, Ines Duarte (<ines@msp.example>) escribió:",
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_replies_fold_below_their_attribution(head: str, mark: str) -> None:
    quote = f"{head}\n\n{mark}Please restart the printer.\n{mark}Ines"
    assert fold(f"{REPLY}\n\n{quote}") == Folded(REPLY, quote.replace("\n\n", "\n" if mark else "\n\n"))


@pytest.mark.parametrize(
    "block",
    [
        "From: Ines Duarte <ines@msp.example>\nSent: Tuesday 9:12 AM\nTo: Ben\nSubject: Printer\n\nHi",
        "________________________________\nFrom: Ines Duarte\nSent: Tuesday\nTo: Ben\n\nHi",
        "Von: Ines Duarte\nGesendet: Dienstag, 3. November 2026 09:12\nAn: Ben\nBetreff: Drucker\n\nHallo",
        "De : Ines Duarte\nEnvoyé : mardi 3 novembre 2026\nÀ : Ben\nObjet : Imprimante\n\nBonjour",
        "De: Ines Duarte\nEnviado el: martes, 3 de noviembre\nPara: Ben\nAsunto: Impresora\n\nHola",
        "-----Original Message-----\nFrom: Ines\n\nHi",
        "---------- Forwarded message ---------\nFrom: Ines\n\nHi",
        "-----Ursprüngliche Nachricht-----\nHallo",
    ],
)
def test_mail_program_blocks_fold_to_the_end(block: str) -> None:
    assert fold(f"{REPLY}\n\n{block}") == Folded(REPLY, block)


def test_twelve_nested_quotes_fold_into_one() -> None:
    quotes = [">" * depth + f" On 3 Nov 2026, someone {depth} wrote:" for depth in range(1, 13)]
    body = "\n".join([REPLY, "", "On 4 Nov 2026, Ben wrote:", *quotes])
    assert fold(body) == Folded(REPLY, "\n".join(["On 4 Nov 2026, Ben wrote:", *quotes]))


def test_twelve_unmarked_replies_fold_from_the_first() -> None:
    chain = "\n\n".join(f"On 3 Nov 2026 at 0{n % 10}:00, someone {n} wrote:\nmail {n}" for n in range(12))
    assert fold(f"{REPLY}\n\n{chain}") == Folded(REPLY, chain)


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nBen Archer\nHarbor View Dental",
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "_" * 40 + "\nThis message is confidential.",
    ],
)
def test_signatures_fold(signature: str) -> None:
    assert fold(f"{REPLY}\n\n{signature}") == Folded(REPLY, None, signature)


def test_quote_and_signature_fold_apart() -> None:
    body = f"{REPLY}\n-- \nBen\n\nOn 3 Nov 2026, Ines wrote:\n> Hi"
    assert fold(body) == Folded(REPLY, "On 3 Nov 2026, Ines wrote:\n> Hi", "-- \nBen")


def test_an_answer_below_its_quote_is_shown() -> None:
    assert fold(f"On 3 Nov 2026, Ines wrote:\n> Does it work?\n\n{REPLY}").shown == REPLY


def test_answers_between_quotes_stay_with_them() -> None:
    body = "> Does it print?\nYes.\n> Does it scan?\nNo."
    assert fold(body) == Folded(body)


@pytest.mark.parametrize(
    "body",
    [
        "> only a quote",
        "-- \nonly a signature",
        "From: Ines\nSent: now\nTo: Ben\n\nforwarded",
        "On 3 Nov 2026, Ines wrote:\n> Hi",
        "",
        "plain text\n\nof two paragraphs",
        "On Monday 3 machines failed.\nSince 9:00.",
        "From: the second floor it works",
        "a\n" + "_" * 40 + "\n" + "row\n" * 30 + "end",
    ],
)
def test_nothing_is_cut_where_nothing_else_would_be_left_or_it_is_just_text(body: str) -> None:
    assert fold(body) == Folded(body)


lines = st.sampled_from(
    [*HEADS, "> q", "text", "", "-- ", "From: x", "Sent: y", "_" * 20, "-----Original Message-----"]
)


@given(st.lists(lines, max_size=12).map("\n".join))
def test_no_line_is_lost(body: str) -> None:
    parts = fold(body)
    kept = "\n".join(part for part in (parts.shown, parts.quoted, parts.signature) if part)
    assert (
        sorted(filter(str.strip, kept.split("\n"))) == sorted(filter(str.strip, body.split("\n")))
        or "-- " in body
    )
    assert parts.shown.strip() or not body.strip()


def test_a_very_long_line_is_looked_at_only_at_its_start() -> None:
    line = "On 3 " + "x" * 100_000
    assert fold(f"{line}\n{REPLY}") == Folded(f"{line}\n{REPLY}")
