"""Where mspterm keeps things: the XDG places on Linux, the platform's own on macOS and Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

APP = "mspterm"
# Fixed places: one that a user's environment can move would bind nobody.
LOCKDOWN_OF_ALL = Path("/etc/mspterm/lockdown")
"""Where root stops every write of every user on the host."""
POLICY_OF_ALL = Path("/etc/mspterm/policy.toml")
"""Where root sets `[guard]` for every user of the host."""

_XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "state": ("XDG_STATE_HOME", ".local/state"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "data": ("XDG_DATA_HOME", ".local/share"),
}
_MAC = {"cache": "Library/Caches"}
_MAC_REST = "Library/Application Support"
_WINDOWS = {"config": ("APPDATA", "AppData/Roaming")}
_WINDOWS_REST = ("LOCALAPPDATA", "AppData/Local")


def place(kind: str, env: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The directory for `kind` (config, state, cache or data), which need not exist yet."""
    variable, below_home = _XDG[kind]
    if platform == "win32":
        variable, below_home = _WINDOWS.get(kind, _WINDOWS_REST)
    elif platform == "darwin":
        below_home = _MAC.get(kind, _MAC_REST)
    given = Path(env.get(variable, ""))
    # The XDG specification has a relative path ignored.
    root = given if given.is_absolute() else Path.home() / below_home
    # On Windows, and in one folder on macOS, the kinds share a root: a folder each keeps them apart.
    return root / APP if platform not in ("win32", "darwin") else root / APP / kind


def named_config(option: Path | None = None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The file that the user named (`--config`, else MSPTERM_CONFIG), which therefore must exist."""
    if option is not None:
        return option
    # Set but empty is not set, as XDG has it.
    return Path(env["MSPTERM_CONFIG"]) if env.get("MSPTERM_CONFIG") else None


def config_file(option: Path | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The file that the user named, else the one at the platform's place."""
    return named_config(option, env) or place("config", env) / "config.toml"


def state_dir(option: Path | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """Store, journal and lockdown: `--state-dir`, else MSPTERM_STATE_DIR, else the platform's place."""
    if option is not None:
        return option
    return Path(env["MSPTERM_STATE_DIR"]) if env.get("MSPTERM_STATE_DIR") else place("state", env)


def private_dir(path: Path) -> Path:
    """`path`, made for this user alone (0700) where it doesn't exist; one that exists is left as it is."""
    # The mode is the last folder's; parents that are missing get the usual one.
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
