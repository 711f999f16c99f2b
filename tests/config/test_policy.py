"""The host's policy: what only root can write stands over the user's [guard]."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mspterm.config.model import Guard
from mspterm.config.policy import ruled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no policy file there")

OWN = Guard(max_devices=50, max_clients=3, flags={"HVD-DC01": ("backup",)})
SAYS = '[guard]\nmax_devices = 2\nmax_disruptive_per_hour = 4\n[guard.flags]\nHVD-PACS = ["do-not-touch"]\n'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    file = tmp_path / "policy.toml"
    file.write_text(SAYS)
    file.chmod(0o644)
    return file


def test_what_it_says_wins_and_the_rest_stays(policy: Path) -> None:
    guard, failures, settings = ruled(OWN, policy, root=policy.stat().st_uid)
    assert (guard.max_devices, guard.max_disruptive_per_hour, guard.max_clients) == (2, 4, 3)
    assert guard.flags == {"HVD-DC01": ("backup",), "HVD-PACS": ("do-not-touch",)}
    assert (guard.doubt, failures) == (None, ())
    assert {(s.key, s.line, s.file) for s in settings} >= {("guard.max_devices", 2, policy)}


def test_what_lifts_the_caps_is_its_word_alone(policy: Path) -> None:
    own = Guard(approvers={"Me": "A" * 43 + "="})
    guard, _, _ = ruled(own, policy, root=policy.stat().st_uid)
    assert (guard.break_glass, guard.approvers) == (False, {})
    key = "B" * 43 + "="
    policy.write_text(f'[guard]\nbreak_glass = true\n[guard.approvers]\n"Marcus Bell" = "{key}"\n')
    guard, failures, _ = ruled(own, policy, root=policy.stat().st_uid)
    assert (guard.break_glass, guard.approvers, failures) == (True, {"Marcus Bell": key}, ())


def test_an_approvers_key_that_is_none_leaves_a_doubt(policy: Path) -> None:
    policy.write_text('[guard.approvers]\n"Marcus Bell" = "short"\n')
    guard, [failure], _ = ruled(OWN, policy, root=policy.stat().st_uid)
    assert "`mspterm approve --init` prints it" in failure
    assert guard.doubt == failure


def test_none_is_no_fault(tmp_path: Path) -> None:
    assert ruled(OWN, tmp_path / "policy.toml") == (OWN, (), ())


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_one_that_others_can_write_is_ignored_and_told(policy: Path, mode: int) -> None:
    policy.chmod(mode)
    guard, [failure], _ = ruled(OWN, policy, root=policy.stat().st_uid)
    assert guard == OWN
    assert f"{policy} must belong to root" in failure


def test_neither_counts_one_in_a_folder_that_others_can_write(policy: Path) -> None:
    policy.parent.chmod(0o777)
    guard, [failure], _ = ruled(OWN, policy, root=policy.stat().st_uid)
    assert guard == OWN
    assert f"{policy.parent} must belong to root" in failure


def test_nor_one_of_another_user(policy: Path) -> None:
    guard, [failure], _ = ruled(OWN, policy, root=policy.stat().st_uid + 1)
    assert (guard, "is ignored" in failure) == (OWN, True)


@pytest.mark.parametrize(
    ("text", "word"),
    [("[guard", "not TOML"), ("[guard]\nmax_device = 2\n", "max_devices"), ("[console]\n", "only [guard]")],
)
def test_one_that_can_not_be_read_leaves_a_doubt(policy: Path, text: str, word: str) -> None:
    policy.write_text(text)
    guard, [failure], _ = ruled(OWN, policy, root=policy.stat().st_uid)
    assert guard.doubt == failure
    assert word in failure
    assert guard.max_devices == 50
