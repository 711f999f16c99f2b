from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.device import Asset, Device
from mspterm.domain.match import (
    ADevice,
    AnAsset,
    alias_map,
    canonical_client,
    client_for_device,
    host_name,
    match,
)
from mspterm.domain.text import SafeText
from tests.domain.domain_rows import asset, device


@dataclass(frozen=True)
class Known:
    match: tuple[str, ...]


ALIASES = alias_map({"Harborview Dental": Known(("HVD", "mesh:harbor"))})


def client_of(thing: AnAsset | ADevice) -> str | None:
    return canonical_client(thing.client, thing.connection, ALIASES)


def found(assets: list[Asset], devices: list[Device]) -> Mapping[str, str]:
    return match(assets, devices, client_of)


def test_the_rmms_own_id_wins_over_serial_and_name() -> None:
    by_id = asset(device_uid="d9", serial=SafeText("SN-4711"))
    devices = [device("d9", "other"), device("d8", "x", serial=SafeText("SN-4711")), device("d7")]
    assert found([by_id], devices) == {"rt:a1": "mesh:d9"}


def test_a_serial_wins_over_a_name() -> None:
    devices = [device("d1"), device("d2", "renamed", serial=SafeText("sn 4711"))]
    assert found([asset(serial=SafeText("SN-4711"))], devices) == {"rt:a1": "mesh:d2"}


@pytest.mark.parametrize(
    "serial", ["To be filled by O.E.M.", "None", "0000000", "", "System Serial Number", "N/A"]
)
def test_a_filler_is_no_serial(serial: str) -> None:
    assert (
        found([asset(name="A", serial=SafeText(serial))], [device(name="B", serial=SafeText(serial))]) == {}
    )


def test_client_and_name_with_the_domain_cut() -> None:
    ours = asset(name="hvd-dc01", client=SafeText("Harborview Dental"))
    theirs = device(name="HVD-DC01.hvd.local", client=SafeText("hvd"))
    elsewhere = device("d2", "HVD-DC01", client=SafeText("Oakridge"))
    assert found([ours], [theirs, elsewhere]) == {"rt:a1": "mesh:d1"}


def test_a_name_that_is_unique_everywhere_where_the_rmm_names_no_client() -> None:
    ours = asset(client=SafeText("Harborview Dental"))
    assert found([ours], [device()]) == {"rt:a1": "mesh:d1"}
    assert client_for_device(device(), ours) == "Harborview Dental"
    assert client_for_device(device(client=SafeText("HVD")), ours) == "HVD"
    assert client_for_device(device(), None) is None


def test_two_candidates_are_none() -> None:
    ours = asset(client=SafeText("Harborview Dental"))
    assert found([ours], [device("d1"), device("d2")]) == {}
    assert found([ours, asset("a2", client=SafeText("Oakridge"))], [device()]) == {}
    assert found([ours, asset("a2", client=SafeText("HVD"))], [device(client=SafeText("HVD"))]) == {}


def test_the_same_name_at_another_client_is_another_device() -> None:
    assert found([asset(client=SafeText("Oakridge"))], [device(client=SafeText("HVD"))]) == {}


@pytest.mark.parametrize("name", ["192.168.1.10", "10.0.0.5", "localhost", "", "fe80::1"])
def test_an_address_identifies_nothing(name: str) -> None:
    assert host_name(name) is None
    assert found([asset(name=name)], [device(name=name)]) == {}


def test_only_a_host_name_has_a_domain_to_cut() -> None:
    assert host_name("HVD-DC01.hvd.local") == "hvd-dc01"
    assert host_name("St. Brannoc printer") == "st. brannoc printer"


def test_one_client_by_the_config() -> None:
    assert canonical_client("harborview  dental", "rt", ALIASES) == "Harborview Dental"
    assert canonical_client("hvd", "halo", ALIASES) == "Harborview Dental"
    assert canonical_client("Harbor", "mesh", ALIASES) == "Harborview Dental"
    assert canonical_client("Harbor", "halo", ALIASES) == "harbor"
    assert canonical_client(None, "rt", ALIASES) is None
    assert canonical_client(" ", "rt", ALIASES) is None


names = st.sampled_from(["DC01", "dc01.hvd.local", "PC-7", "10.0.0.1", ""])
clients = st.none() | st.sampled_from(["HVD", "Harborview Dental", "Oak"]).map(SafeText)
serials = st.none() | st.sampled_from(["SN-1", "SN-4711", "None"]).map(SafeText)
ids = st.sampled_from(["d1", "d2", "d3", "d4"])
assets_ = st.lists(
    st.builds(asset, st.uuids().map(str), names, client=clients, serial=serials, device_uid=st.none() | ids),
    max_size=6,
)
devices_ = st.lists(
    st.builds(device, ids, names, client=clients, serial=serials), max_size=4, unique_by=lambda d: d.ref
)


@given(assets_, devices_, st.randoms(use_true_random=False))
def test_no_guess_depends_on_the_order_or_joins_two_clients(
    assets: list[Asset], devices: list[Device], random: Random
) -> None:
    pairs = found(assets, devices)
    theirs = {d.ref: d for d in devices}
    assert len(set(pairs.values())) == len(pairs)
    for ours in assets:
        if ours.ref in pairs:
            clients_of = {client_of(ours), client_of(theirs[pairs[ours.ref]])} - {None}
            assert len(clients_of) < 2
    random.shuffle(assets)
    random.shuffle(devices)
    assert found(assets, devices) == pairs
