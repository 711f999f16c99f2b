"""Who ssh may be told to connect to, and what it is told."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.domain.reasons import Failed, Reason
from mspterm.domain.ssh import (
    ARGV,
    DEVICE,
    JUMP,
    Hop,
    SshTarget,
    config_text,
    environment,
    hop,
    host_keys,
    host_problem,
    quoted,
    slug,
    user_problem,
)
from mspterm.domain.ssh_said import failure_of, offered_fingerprint

TARGET = SshTarget(
    "mesh:node//ab$C@",
    "HVD-WEB01",
    "Harbor View",
    "hvd",
    Hop("10.20.0.11", "ines"),
    Hop("jump.hvd.example", "ops", 2222),
    "/home/ines/.ssh/msp key",
)
HOSTILE = (
    "-oProxyCommand=touch pwned",
    "a;b",
    "$(x)",
    "`x`",
    "../..",
    "..",
    "a..b",
    "a b",
    "a\nProxyCommand x",
    "srv%n",
    "%h",
    "a/b",
    "a@b",
    "a:b",
    "",
    ".",
    "a.",
    "-a",
    "a-",
    "127.1",
    "0x7f.1",
    "2130706433",
    "fe80::1%eth0",
    "ａ",
    "a" * 64,
    "a\x00",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_name_becomes_a_hop(name: str) -> None:
    with pytest.raises(Failed) as caught:
        Hop(name, "ines")
    assert caught.value.failure.reason is Reason.REFUSED
    with pytest.raises(Failed):
        hop(f"ines@{name}", "ines")


@pytest.mark.parametrize(
    "user", ["-oX", "u;x", "u x", "Root\n", "", "a" * 33, "$(id)", "u@h", "A\\B\\c", "\\u"]
)
def test_no_hostile_user_becomes_a_hop(user: str) -> None:
    assert user_problem(user) is not None
    with pytest.raises(Failed):
        Hop("srv", user)


@pytest.mark.parametrize("host", ["srv", "HVD-DC01", "3par", "a_b.example.org", "10.0.0.1", "fd00::1"])
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert host_problem(host) is None


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(Failed, match="port"):
        Hop("srv", "ines", port)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("jump", Hop("jump", "me")),
        ("ops@jump:2222", Hop("jump", "ops", 2222)),
        ("HVD\\ines@jump", Hop("jump", "HVD\\ines")),
        ("[fd00::1]:23", Hop("fd00::1", "me", 23)),
    ],
)
def test_a_jump_is_written_as_a_hop(text: str, means: Hop) -> None:
    assert hop(text, "me") == means
    assert hop(str(means), "x") == means


@pytest.mark.parametrize("text", ["a@b@c", "jump:", "jump:x", "jump:99999", "a,b", "jump:22,-oX", "fd00::1"])
def test_what_is_no_hop_is_refused(text: str) -> None:
    with pytest.raises(Failed):
        hop(text, "me")


@given(st.text())
def test_whatever_is_a_host_is_one_word_of_a_config(text: str) -> None:
    if host_problem(text) is None:
        assert text.isascii()
        assert not set(text) & set(" \t\n;|&$`\"'\\%/()<>*?!=#,@")
        assert not text.startswith("-")
        assert ".." not in text


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_texts_never_share_a_slug(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)
    assert set(slug(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_ssh_is_given_nothing_of_ours_as_an_argument() -> None:
    assert ARGV == ("ssh", "-F", "config", "--", "mspterm-device")


def blocks(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key == "Host":
            block = found[value] = {}
        else:
            block[key] = value
    return found


def test_every_option_stands_in_both_blocks() -> None:
    found = blocks(config_text(TARGET, "/state/ssh/hvd.known_hosts"))
    assert set(found) == {DEVICE, JUMP}
    for block in found.values():
        assert (
            block
            | {
                "StrictHostKeyChecking": "yes",
                "UserKnownHostsFile": '"/state/ssh/hvd.known_hosts"',
                "GlobalKnownHostsFile": "/dev/null",
                "UpdateHostKeys": "no",
                "ForwardAgent": "no",
                "ForwardX11": "no",
                "ClearAllForwardings": "yes",
                "PermitLocalCommand": "no",
                "ControlMaster": "no",
                "EscapeChar": "none",
                "IdentityAgent": "none",
                "IdentityFile": '"/home/ines/.ssh/msp key"',
            }
            == block
        )
    assert found[DEVICE]["HostKeyAlias"] == f"hvd/{slug(TARGET.ref)}"
    assert found[JUMP]["HostKeyAlias"] == f"hvd/jump-{slug('jump.hvd.example')}-2222"
    assert (found[DEVICE]["ProxyJump"], found[JUMP]["ProxyJump"]) == (JUMP, "none")
    assert found[JUMP]["Port"] == "2222"


def test_a_probe_tries_no_way_to_log_in_to_the_host_it_looks_at() -> None:
    found = blocks(config_text(TARGET, "/k", probed=DEVICE, seen="/seen"))
    assert found[DEVICE]["UserKnownHostsFile"] == '"/seen"'
    assert found[DEVICE]["PreferredAuthentications"] == "none"
    assert found[DEVICE]["PubkeyAuthentication"] == "no"
    assert found[JUMP]["StrictHostKeyChecking"] == "yes"
    assert found[JUMP]["UserKnownHostsFile"] == '"/k"'


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
def test_ssh_itself_reads_the_config_as_it_is_meant(tmp_path: Path) -> None:
    """Percent signs and spaces in paths, and a Windows user, come out as they went in."""
    folder = tmp_path / "a 100%h"
    folder.mkdir()
    target = SshTarget("m:1", "D", None, "c", Hop("10.0.0.1", "HVD\\ines"))
    (tmp_path / "config").write_text(config_text(target, str(folder / "known")))
    said = subprocess.run(
        ["ssh", "-G", *ARGV[1:]], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    effective = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    assert effective["user"] == "HVD\\ines"
    assert effective["hostname"] == "10.0.0.1"
    assert effective["userknownhostsfile"].replace("%%", "%") == f"{folder}/known"
    assert effective["stricthostkeychecking"] in ("true", "yes")
    assert effective["forwardagent"] == "no"
    assert effective["controlmaster"] == "false"
    assert effective["identityagent"] == "none"


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/a${X}", "/a\\b"])
def test_a_path_that_the_config_would_read_otherwise_is_refused(path: str) -> None:
    with pytest.raises(Failed):
        quoted(path)


def test_the_environment_is_built_and_not_handed_on() -> None:
    own = {
        "HOME": "/home/ines",
        "LC_ALL": "C.UTF-8",
        "SSH_AUTH_SOCK": "/agent",
        "SSH_ASKPASS": "/x",
        "LD_PRELOAD": "/x",
        "MSPTERM_SECRET_RT_TOKEN": "canary",
    }
    assert environment(TARGET, "rt:7", own) == {
        "HOME": "/home/ines",
        "LC_ALL": "C.UTF-8",
        "MSPTERM_TICKET": "rt:7",
        "MSPTERM_CLIENT": "Harbor View",
        "MSPTERM_DEVICE": "HVD-WEB01",
    }


def test_host_keys_of_a_file() -> None:
    blob = "AAAAC3NzaC1lZDI1NTE5AAAAIIcHZ2V0sWxPzMBGmX2CDcmZNmdxJvMULYxyBPBqvUwK"
    text = (
        f"# note\n\n@revoked a ssh-ed25519 {blob}\n|1|x ssh-ed25519 {blob}\nhvd/d ssh-ed25519 {blob} name\n"
    )
    [key] = host_keys(text)
    assert (key.alias, key.kind) == ("hvd/d", "ssh-ed25519")
    assert key.fingerprint.startswith("SHA256:")
    assert len(key.fingerprint) == 50


CHANGED = """\
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:6GnVD3nNuq5ngRTqYuGcUoSdVgELjACGEMcPgCfjxbw.
Host key for hvd/d has changed and you have requested strict checking.
Host key verification failed.
"""


def test_a_changed_key_is_a_hard_stop() -> None:
    failure = failure_of(TARGET, 255, CHANGED, "/k")
    assert failure is not None
    assert failure.reason is Reason.CONFLICT
    assert "hvd/d is not the one recorded" in failure.sentence
    assert offered_fingerprint(CHANGED) == "SHA256:6GnVD3nNuq5ngRTqYuGcUoSdVgELjACGEMcPgCfjxbw"


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (0, CHANGED, None),
        (130, "", None),
        (255, "ines@h: Permission denied (publickey).\n", Reason.AUTH),
        (255, "ssh: connect to host h port 22: Connection refused\n", Reason.OFFLINE),
        (255, "", Reason.OFFLINE),
        (
            255,
            "No ED25519 host key is known for hvd/d and you have requested strict checking.",
            Reason.REFUSED,
        ),
    ],
)
def test_what_came_of_it(status: int, said: str, reason: Reason | None) -> None:
    failure = failure_of(TARGET, status, said, "/k")
    assert (failure.reason if failure else None) is reason
