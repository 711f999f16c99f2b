"""`[ssh]`: what ssh must not be given is an error of the file, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mspterm.config.load import ConfigError, load


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_a_table_with_all_it_may_have(tmp_path: Path) -> None:
    config = load(
        write(
            tmp_path,
            "[ssh]\nuser='ines'\nport=2222\njump='ops@jump.example:23'\nidentity_file='key'\nagent=true\n"
            "[ssh.clients.hvd]\njump='none'\n[ssh.devices.'HVD-WEB01']\nhost='10.0.0.1'\nuser='HVD\\ines'\n"
            f"host_key='SHA256:{'a' * 43}'\n",
        )
    )
    held = config.raw["ssh"]
    assert (held["user"], held["port"], held["agent"]) == ("ines", 2222, True)
    assert held["identity_file"] == tmp_path / "key"
    assert held["clients"] == {"hvd": {"jump": "none"}}
    assert held["devices"]["HVD-WEB01"]["user"] == "HVD\\ines"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[ssh]\nuser='-oProxyCommand=x'", 2, "ssh.user"),
        ("[ssh]\njump='jump,-oProxyCommand=x'", 2, "ssh.jump"),
        ("[ssh]\nport=0", 2, "ssh.port"),
        ("[ssh]\npassword='x'", 2, "ssh.password"),
        ("[ssh.clients.hvd]\n\njump='$(x)'", 3, "ssh.clients.hvd.jump"),
        ("[ssh.devices.a]\nhost='a;b'", 2, "ssh.devices.a.host"),
        ("[ssh.devices.a]\nhost='../..'", 2, "ssh.devices.a.host"),
        ("[ssh.devices.a]\nhost_key='MD5:00'", 2, "ssh.devices.a.host_key"),
    ],
)
def test_what_ssh_must_not_be_given(tmp_path: Path, text: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    [problem] = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
