"""What reading a file in order costs: nothing that only a wrong one, or one with more in it, needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mspterm.config.load import load_with_sources

_PLAIN = (
    '[connections.rt]\nkind = "rt"\nurl = "https://rt.example.org"\n\n[clients."St. B"]\nphones = ["1"]\n'
)
_ASK = """
import sys
from pathlib import Path
from mspterm.config.load import load
load(Path(sys.argv[1]))
print(*(name for name in ("mspterm.config.lines", "mspterm.domain.ssh", "json", "difflib") if name in sys.modules))
"""


@pytest.mark.parametrize(("more", "imported"), [("", ""), ('\n[ssh]\nuser = "ines"\n', "mspterm.domain.ssh")])
def test_a_file_in_order_pays_only_for_what_is_in_it(tmp_path: Path, more: str, imported: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(_PLAIN + more)
    asked = [sys.executable, "-c", _ASK, str(file)]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip() == imported


def test_the_sources_are_told_in_the_order_of_reading(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(_PLAIN)
    found = {setting.key: setting.line for setting in load_with_sources(file).settings}
    assert next(iter(found)) == "connections.rt.kind"
    assert found["connections.rt.url"] == 3
    assert found["connections.rt.timeout_s"] is None
    assert found['clients."St. B".phones'] == 6
