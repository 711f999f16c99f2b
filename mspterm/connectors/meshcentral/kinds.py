"""What kind of device it is, from what MeshCentral says about it: it has no such field."""

from __future__ import annotations

import re

# The icons of MeshCentral's own pages: 1 desktop, 2 laptop, 3 mobile, 4 server, 5 disk, 6 router,
# 7 embedded, 8 virtual machine. It is the agent's platform type until a technician changes it.
_ICONS = {2: "workstation", 3: "mobile", 4: "server", 5: "other", 6: "network"}
_IP_KVM = 4

_HYPERVISOR = re.compile(r"esxi|proxmox|xcp-ng|xenserver|hyper-v server", re.I)
_MOBILE = re.compile(r"android|\bios\b|ipados", re.I)
_SERVER_OS = re.compile(r"server|essentials", re.I)
_DESK_OS = re.compile(r"windows|macos|mac os|chrome ?os", re.I)
_SERVER_NAME = re.compile(
    r"(?:^|[-_.])(?:dc|srv|svr|server|sql|db|web|app|fs|file|mail|ex|rds|ts|nas)\d*(?:$|[-_.])", re.I
)
_DESK_NAME = re.compile(r"(?:^|[-_.])(?:lt|lap|laptop|nb|pc|ws|wks|desk|desktop|mac)\d*(?:$|[-_.])", re.I)


def kind_of(name: str, os: str, icon: int | None, mtype: int | None) -> str:
    """server, workstation, network, hypervisor, mobile or other.

    The system's name decides, then an icon that means something, then the habits of naming
    (HVD-DC01, KSL-LT-014). A Linux machine is a server unless it is named like a desk's.
    """
    if _HYPERVISOR.search(os):
        return "hypervisor"
    if mtype == _IP_KVM:
        return "network"
    if _MOBILE.search(os):
        return "mobile"
    if _SERVER_OS.search(os):
        return "server"
    if icon in _ICONS:
        return _ICONS[icon]
    if _DESK_OS.search(os):
        return "workstation"
    if _SERVER_NAME.search(name):
        return "server"
    if _DESK_NAME.search(name):
        return "workstation"
    return "server" if os else "other"
