"""Nothing here has a meaning where there are no pseudo-terminals."""

from __future__ import annotations

import sys

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []
