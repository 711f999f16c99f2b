from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.conditions import PROVIDERS, condition_of, provider_in, provider_pattern
from mspterm.domain.device import Alert, Device, Maintenance
from mspterm.domain.storms import (
    Sign,
    Storm,
    StormRules,
    hidden,
    keys,
    quieted,
    rules_of,
    sign_reader,
    storms,
)
from mspterm.domain.text import SafeText
from tests.domain.domain_rows import NOW, device, ticket

RULES = StormRules()
AT = NOW.timestamp()


def sign(ref: str, minutes: float = 0, **more: Any) -> Sign:
    values: dict[str, Any] = {
        "client": "oak",
        "site": "main",
        "device": f"pc{ref}",
        "condition": "offline",
        "priority": 3,
    }
    return Sign(f"rt:{ref}", AT + minutes * 60, **(values | more))


def only(*signs: Sign, rules: StormRules = RULES) -> Storm:
    found = storms(signs, rules)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("HVD-FS01: disk D: below 5 % free", "disk space"),
        ("NAS1: S.M.A.R.T. status degraded, disk 1", "disk health"),
        ("HVD-DC01 not reachable, nobody can open files", "offline"),
        ("Host HVD-PC12 is DOWN", "offline"),
        ("backup job Nightly-VM failed, repository full", "backup"),
        ("service Print Spooler stopped", "service"),
        ("VPN tunnel to head office flapping", "tunnel"),
        ("Certificate expires in 7 days", "certificate"),
        ("New smartphone for the shipping desk", "new smartphone for the shipping desk"),
        ("Scanner pc7 shows error 0x80070005 at 12:04", "scanner shows error at"),
    ],
)
def test_a_subject_tells_its_condition(text: str, condition: str) -> None:
    assert condition_of(text, "pc7") == condition


def test_providers_are_known_by_whole_words_and_one_name() -> None:
    pattern = provider_pattern((*PROVIDERS, "Metronet"))
    assert provider_in("Outage at METRONET since 8", pattern) == "metronet"
    assert provider_in("Exchange Online: no mail", pattern) == "microsoft 365"
    assert provider_in("Coxswain's PC is slow", pattern) is None
    assert provider_in("Comcast", provider_pattern(())) is None


def test_one_device_with_one_condition_is_one_group() -> None:
    found = only(sign("1", device="fs1"), sign("2", 300, device="fs1"), sign("3", 10, device="fs2"))
    assert (found.key, found.cause, found.refs) == ("storm:rt:1", "device", ("rt:1", "rt:2"))
    assert storms([sign("1", device="fs1"), sign("2", 1, device="fs1", condition="disk space")], RULES) == ()
    assert storms([sign("1", device="fs1"), sign("2", 1, device="fs1", client="elm")], RULES) == ()
    assert storms([sign("1", device="fs1"), sign("2", 25 * 60, device="fs1")], RULES) == ()


def test_coming_again_and_again_is_flapping() -> None:
    found = only(*(sign(str(n), n * 90, device="fw1") for n in range(4)))
    assert (found.cause, found.why) == ("flapping", "fw1: offline came 4 times, within 270 minutes")


def test_a_site_that_goes_down_is_one_row_with_what_follows() -> None:
    down = [sign(str(n), n / 3) for n in range(30)]
    symptom = sign("40", 9, device="fs1", condition="backup")
    other = sign("41", 9, device="fs2", condition="certificate")
    elsewhere = sign("42", 3, site="branch")
    found = only(*down, symptom, other, elsewhere)
    assert (found.cause, len(found.refs), found.head) == ("site", 31, "rt:0")
    assert len(hidden([found])) == 30


def test_two_devices_or_three_far_apart_are_no_storm() -> None:
    assert storms([sign("1"), sign("2", 1)], RULES) == ()
    assert storms([sign("1"), sign("2", 16), sign("3", 32)], RULES) == ()
    unlike = [sign(str(n), n, condition=c) for n, c in enumerate(("disk space", "certificate", "load"))]
    assert storms(unlike, RULES) == ()


def test_a_gateway_or_a_host_stands_for_what_hangs_on_it() -> None:
    gateway = only(sign("1"), sign("2", 1, device="fw1", root="network"))
    assert (gateway.cause, gateway.head) == ("gateway", "rt:2")
    host = only(sign("1"), sign("2", 1, device="hv1", root="hypervisor"))
    assert (host.cause, host.head, host.key) == ("host", "rt:2", "storm:rt:1")


def test_what_people_report_joins_only_where_they_say_it_is_down() -> None:
    down = [sign(str(n), n) for n in range(3)]
    caller = sign("8", 4, device=None, human=True)
    asks = sign("9", 4, device=None, human=True, condition="new monitor")
    assert only(*down, caller, asks).refs == ("rt:0", "rt:1", "rt:2", "rt:8")


def test_a_provider_joins_clients() -> None:
    found = only(
        sign("1", client="oak", provider="comcast"),
        sign("2", 5, client="elm", provider="comcast", site=None),
        sign("3", 6, client="ash", provider="telekom"),
    )
    assert (found.cause, found.why) == ("provider", "2 items name comcast, at 2 clients, within 5 minutes")
    assert storms([sign("1", provider="comcast"), sign("2", 5, provider="comcast")], RULES) == ()


def test_a_p1_keeps_its_row_and_is_the_head_of_its_group() -> None:
    found = only(sign("1", device="a"), sign("2", 1, priority=1), sign("3", 2, priority=1), sign("4", 3))
    assert (found.head, found.shown) == ("rt:2", ("rt:3",))
    assert hidden([found]) == {"rt:1", "rt:4"}


def test_an_alert_and_its_ticket_are_one_and_the_ticket_is_shown() -> None:
    alert = Sign("zbx:9", AT - 60, "oak", None, "pc1", "load", linked="rt:1")
    found = only(alert, sign("1"))
    assert (found.head, found.refs, keys([found])["zbx:9"]) == ("rt:1", ("zbx:9", "rt:1"), "storm:zbx:9")


def test_a_trickle_is_cut_into_bursts() -> None:
    signs = [sign(str(n), n * 10) for n in range(30)]
    assert len(storms(signs, RULES)) > 1


def test_tickets_and_alerts_are_read() -> None:
    firewall = device(
        "d1", "HVD-FW01.hvd.local", kind="network", site=SafeText("Main"), client=SafeText("HVD")
    )
    of_ticket, of_alert = sign_reader({firewall.ref: firewall}, RULES, {"hvd": "Metronet"})
    subject = ticket(summary=SafeText("hvd-fw01 is down"), client=SafeText("HVD"), type="alert")
    found = of_ticket(subject, (firewall.ref,))
    assert (found.client, found.site, found.device, found.condition) == ("hvd", "main", "hvd-fw01", "offline")
    assert (found.provider, found.root, found.human) == ("metronet", "network", False)
    wants = ticket(summary=SafeText("Teams for the new starter"), type="request")
    assert of_ticket(wants, ()).provider is None
    assert of_ticket(wants, ()).human
    raised = Alert("mesh:a1", "mesh", "a1", firewall.ref, None, "critical", SafeText("ping lost"), NOW)
    assert (of_alert(raised).client, of_alert(raised).priority, of_alert(raised).site) == (
        "hvd",
        None,
        "main",
    )


@pytest.mark.parametrize(
    ("maintenance", "says"),
    [
        (None, None),
        (Maintenance(None, SafeText("patches")), "in maintenance without an end: patches"),
        (Maintenance(NOW + timedelta(hours=1), None), "in maintenance until 2026-11-24 09:00Z"),
        (Maintenance(NOW, SafeText("patches")), None),
    ],
)
def test_maintenance_quiets_alerts(maintenance: Maintenance | None, says: str | None) -> None:
    muted: Device = device(maintenance=maintenance)
    assert quieted(muted, NOW) == says


def test_the_config_sets_the_rules() -> None:
    assert rules_of({}) == RULES
    made = rules_of({"window_min": 5, "flap_hours": 2, "at_least": 2, "providers": ("Metronet",)})
    assert (made.window_s, made.flap_s, made.at_least) == (300, 7200, 2)
    assert made.providers[-1] == "Metronet"
    assert only(sign("1"), sign("2", 1), rules=made).cause == "site"


signs_ = st.lists(
    st.builds(
        sign,
        st.integers(0, 10**6).map(str),
        st.integers(0, 600),
        client=st.sampled_from(["oak", "elm", None]),
        site=st.sampled_from(["main", None]),
        device=st.sampled_from(["fs1", "fw1", "pc1", "pc2", None]),
        condition=st.sampled_from(["offline", "disk space", "backup"]),
        provider=st.sampled_from([None, None, "comcast"]),
        priority=st.sampled_from([None, 1, 3]),
        root=st.sampled_from([None, "network"]),
        human=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda s: s.ref,
)


@given(signs_, st.randoms(use_true_random=False))
def test_the_order_they_come_in_does_not_matter(signs: list[Sign], random: Random) -> None:
    shuffled = list(signs)
    random.shuffle(shuffled)
    found = storms(signs, RULES)
    assert storms(shuffled, RULES) == found
    refs = [ref for storm in found for ref in storm.refs]
    assert len(refs) == len(set(refs))
    assert all(storm.head in storm.refs and len(storm.refs) > 1 for storm in found)
    first_class = {s.ref for s in signs if s.priority == 1}
    assert not hidden(found) & first_class


def test_what_the_psa_has_as_parent_and_children_is_one_group_and_the_parent_its_head() -> None:
    parent = sign("1", device="a", condition="mail", priority=4)
    found = only(parent, sign("2", 500, device="b", condition="load", priority=2, parent="rt:1"))
    assert (found.cause, found.head, found.tickets) == ("parent", "rt:1", ("rt:1", "rt:2"))
    assert (
        storms([sign("2", device="b", parent="rt:1"), sign("3", 400, device="c", parent="rt:1")], RULES) == ()
    )


def test_a_parent_heads_its_storm_and_a_p1_keeps_its_row() -> None:
    found = only(sign("1"), sign("2", 1, priority=1, parent="rt:3"), sign("3", 2))
    assert (found.cause, found.head, found.shown) == ("site", "rt:3", ("rt:2",))


def test_alerts_are_told_apart_from_tickets() -> None:
    found = only(sign("1"), sign("2", 1), sign("alert:a", 2, priority=None))
    assert (found.tickets, found.alerts, found.head) == (("rt:1", "rt:2"), ("rt:alert:a",), "rt:1")
