"""Where a store may be: by what the kernel says of mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mspterm.domain.reasons import Failed, Reason
from mspterm.store import place
from mspterm.store.store import Store

MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw
31 22 0:26 / /home rw shared:5 - nfs4 filer:/home rw,vers=4.2
32 31 254:3 / /home/local rw - xfs /dev/sdb1 rw
33 22 0:40 / /mnt/with\\040space rw - cifs //filer/x rw
34 22 0:41 / /mnt/ssh rw - fuse.sshfs ines@host:/ rw
35 22 0:42 / /mnt/c rw - 9p drvfs rw
36 22 0:43 / /mnt/zip rw - fuse.archivemount x rw
37 22 254:9 / /srv rw - ext4 /dev/sdc1 rw
38 22 0:44 / /srv rw - nfs filer:/srv rw
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", None),
        ("/home/ines/.local/state", "nfs4"),
        ("/home/local/ines", None),
        ("/homes/ines", None),
        ("/mnt/with space/ines", "cifs"),
        ("/mnt/ssh", "fuse.sshfs"),
        ("/mnt/c/Users", "9p"),
        ("/mnt/zip", None),
        ("/srv/state", "nfs"),
    ],
)
def test_the_innermost_mount_tells(path: str, kind: str | None) -> None:
    assert place.kind_in(MOUNTS, Path(path)) == kind


def test_a_sandbox_whose_root_is_9p_has_it_for_itself() -> None:
    assert place.kind_in("22 1 0:26 / / rw - 9p none rw", Path("/home/ines")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's table of mounts")
def test_a_store_on_a_network_file_system_is_refused_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        f"22 1 254:1 / / rw - ext4 /dev/root rw\n40 22 0:50 / {tmp_path} rw - nfs4 filer:/x rw\n"
    )
    monkeypatch.setattr(place, "MOUNTS", table)
    with pytest.raises(Failed) as caught:
        Store(tmp_path / "state")
    assert caught.value.failure.reason is Reason.REFUSED
    assert "network file system (nfs4)" in caught.value.failure.sentence
    assert "--state-dir" in caught.value.failure.sentence
    assert not (tmp_path / "state" / "store.db").exists()


def test_this_hosts_own_table_is_read(tmp_path: Path) -> None:
    assert place.remote_kind(tmp_path) is None
