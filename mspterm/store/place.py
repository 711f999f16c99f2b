"""Whether a directory is on another host: SQLite's WAL and our locks hold on one host only."""

from __future__ import annotations

import sys
from pathlib import Path

from mspterm.domain.reasons import Reason, failed

MOUNTS = Path("/proc/self/mountinfo")
# fmt: off
REMOTE = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "smb", "smb2", "smb3", "smbfs",
))
"""Types of the kernel. 9p is how WSL shows the drives of Windows, where a WAL's shared memory fails too."""
REMOTE_FUSE = frozenset((
    "sshfs", "rclone", "s3fs", "davfs", "davfs2", "glusterfs", "cephfs", "ceph", "gcsfuse", "curlftpfs", "smbnetfs",
))
# fmt: on


def must_be_local(directory: Path) -> None:
    """Raises Failed where the directory is known to be on a network file system. What can't be told
    (macOS, or a Linux without /proc) passes."""
    kind = remote_kind(directory)
    if kind is not None:
        sentence = (
            f"{directory} is on a network file system ({kind}), where a store that several programs share "
            "gets damaged: set --state-dir or MSPTERM_STATE_DIR to a directory on a disk of this host."
        )
        raise failed(Reason.REFUSED, sentence)


def remote_kind(directory: Path) -> str | None:
    """The type of the network file system that it is on; None where it is on none, as far as is known."""
    if sys.platform == "win32":
        import ctypes

        drive = directory.absolute().drive
        remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == 4
        return "a network drive" if remote else None
    else:  # noqa: RET505 - so that types are checked on Windows too
        try:
            # Resolved, as a home's link may lead to a share; a mount point may be any bytes.
            return kind_in(MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"), directory.resolve())
        except OSError:
            return None


def kind_in(mounts: str, path: Path) -> str | None:
    """The same by the text of /proc/self/mountinfo (proc(5)); of two mounts on one place the later counts."""
    # With a slash at the end, or /data would seem to hold /database.
    inner, innermost, found = f"{path.as_posix().rstrip('/')}/", "", ""
    for row in mounts.splitlines():
        fields, _, rest = row.partition(" - ")
        point = f"{_unescaped(fields.split(' ', 5)[4]).rstrip('/')}/"
        if inner.startswith(point) and len(point) >= len(innermost):
            innermost, found = point, rest.partition(" ")[0]
    if found == "9p" and innermost == "/":
        return None  # a sandbox's own root (gVisor shows it so): no other host has it
    return found if found in REMOTE or found.removeprefix("fuse.") in REMOTE_FUSE else None


def _unescaped(field: str) -> str:
    """The kernel writes space, tab, newline and backslash as octal."""
    if "\\" not in field:
        return field
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field
