"""A process that ends well leaves nothing behind, whatever the system says of open files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mspterm.config.locked import take
from mspterm.desk.desk import Desk
from mspterm.desk.presence import Presence
from mspterm.store.store import StoreError

assert sys.platform != "win32"

UNLINK = Path.unlink


def as_windows_does(path: Path, missing_ok: bool = False) -> None:
    """Deletes nothing that somebody has open."""
    open_ones = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if _is_open(n)]
    if str(path) in open_ones:
        raise PermissionError(13, "used by another process", str(path))
    UNLINK(path, missing_ok=missing_ok)


def _is_open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells what is open by /proc")
def test_its_file_is_gone_also_where_nothing_open_can_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "unlink", as_windows_does)
    one, other = Presence(tmp_path), Presence(tmp_path)
    token = one.token()
    assert other.lives(token)
    one.close()
    assert list(tmp_path.iterdir()) == []
    assert not other.lives(token)


async def test_a_desk_closes_whole_while_another_process_looks_whether_it_lives(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = desk.state_dir / "alive" / desk.presence.token()

    def taken(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "used by another process", str(path))

    monkeypatch.setattr(Path, "unlink", taken)
    await desk.aclose()
    monkeypatch.undo()
    with pytest.raises(StoreError):
        desk.store.connections.get("rt")
    # Left over, and of nobody: the next who looks takes it away.
    handle = take(file)
    assert handle is not None
    os.close(handle)
    assert not Presence(file.parent).lives(file.name)
    assert not file.exists()
