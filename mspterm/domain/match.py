"""Which RMM device is which PSA asset, and which client's: found by evidence, never guessed."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol, TypeVar

from mspterm.domain.device import Asset, AssetKey, Device, DeviceKey
from mspterm.domain.folding import fold
from mspterm.domain.text import SafeText

AnAsset = Asset | AssetKey
ADevice = Device | DeviceKey
ClientOf = Callable[[AnAsset | ADevice], str | None]
"""The canonical client of an asset or a device; None where its system names none."""

T = TypeVar("T")
_Key = str | tuple[str, str] | None
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+\.?")
_NO_SERIAL = frozenset(
    {"none", "null", "na", "unknown", "default", "defaultstring", "tobefilledbyoem", "systemserialnumber"}
    | {"notspecified", "notapplicable", "notavailable", "invalid", "empty", "serial", "serialnumber"}
    | {"chassisserialnumber", "123456789", "0123456789", "1234567890", "oem", "vmware", "parallels"}
)
_NO_NAME = frozenset({"", "localhost", "unknown", "none"})


class Aliased(Protocol):
    """A client of the config: the names that stand for it."""

    @property
    def match(self) -> tuple[str, ...]: ...


def alias_map(clients: Mapping[str, Aliased]) -> Mapping[str, str]:
    """`[clients.NAME] match` turned round: each folded alias, and NAME itself, to NAME. An alias is
    a name, or `CONNECTION:name` where it holds for that connection only."""
    aliases = {_squeeze(name): name for name in clients}
    for name, client in clients.items():
        aliases.update({_squeeze(alias): name for alias in client.match})
    return aliases


def canonical_client(name: str | None, connection: str, aliases: Mapping[str, str]) -> str | None:
    """The one name of a client whose connection calls it `name`, to compare clients by: the config's
    name, else the folded own one."""
    folded = _squeeze(name or "")
    if not folded:
        return None
    return aliases.get(f"{connection}:{folded}") or aliases.get(folded) or folded


def match(assets: Sequence[AnAsset], devices: Sequence[ADevice], client_of: ClientOf) -> Mapping[str, str]:
    """Asset refs to the refs of their devices.

    By the RMM's own id where the PSA keeps it; by serial number; by client and name; by a name that is
    unique everywhere, where the RMM names no client. What has two candidates has none, and two known
    clients that differ are never joined. Addresses don't count: every site has its 192.168.1.10.
    """

    # Each is asked for by several kinds of evidence.
    clients = {thing.ref: client_of(thing) for thing in chain(assets, devices)}
    names = {thing.ref: host_name(thing.name) for thing in chain(assets, devices)}

    def whose(thing: AnAsset | ADevice) -> _Key:
        client, name = clients[thing.ref], names[thing.ref]
        return (client, name) if client and name else None

    def called(thing: AnAsset | ADevice) -> _Key:
        return names[thing.ref]

    by_name = _pairs(assets, devices, called, called)
    evidence = chain(
        _pairs(assets, devices, _uid, lambda device: device.id),
        _pairs(assets, devices, _serial, _serial),
        _pairs(assets, devices, whose, whose),
        (pair for pair in by_name if clients[pair[1].ref] is None),
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    for asset, device in evidence:
        free = asset.ref not in found and device.ref not in taken
        if free and _compatible(clients[asset.ref], clients[device.ref]):
            found[asset.ref] = device.ref
            taken.add(device.ref)
    return found


def client_for_device(device: Device, asset: Asset | None) -> SafeText | None:
    """The client's name to show: the RMM's own, else that of the PSA's asset."""
    return device.client or (asset.client if asset else None)


def host_name(name: str) -> str | None:
    """A device's name to compare by: folded, its domain cut; None where it identifies nothing."""
    folded = fold(name).strip()
    if folded in _NO_NAME or _is_address(folded):
        return None
    return folded.split(".", 1)[0] if _HOST.fullmatch(folded) else folded


def _pairs(
    assets: Iterable[AnAsset],
    devices: Iterable[ADevice],
    asset_key: Callable[[AnAsset], _Key],
    device_key: Callable[[ADevice], _Key],
) -> Iterator[tuple[AnAsset, ADevice]]:
    """One kind of evidence: what has a key to itself on both sides, among all there are."""
    theirs = _grouped(devices, device_key)
    for key, ours in _grouped(assets, asset_key).items():
        others = theirs.get(key, [])
        if len(ours) == len(others) == 1:
            yield ours[0], others[0]


def _grouped(things: Iterable[T], key_of: Callable[[T], _Key]) -> dict[_Key, list[T]]:
    groups: dict[_Key, list[T]] = defaultdict(list)
    for thing in things:
        key = key_of(thing)
        if key is not None:
            groups[key].append(thing)
    return groups


def _compatible(one: str | None, other: str | None) -> bool:
    return not one or not other or one == other


def _uid(asset: AnAsset) -> str | None:
    return asset.device_uid or None


def _serial(thing: AnAsset | ADevice) -> str | None:
    serial = re.sub(r"[\W_]+", "", fold(thing.serial or ""))
    # Fewer than four signs, or one sign repeated, is a filler and no number.
    trivial = len(serial) < 4 or len(set(serial)) == 1 or serial in _NO_SERIAL
    return None if trivial else serial


def _squeeze(name: str) -> str:
    return " ".join(fold(name).split())


def _is_address(text: str) -> bool:
    # Asking costs ten times what a look does, and hardly a name looks like one.
    if not text[:1].isdigit() and ":" not in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
