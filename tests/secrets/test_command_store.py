"""A password manager's program: how it is run, what it is given, and what each end of it means."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import State
from mspterm.secrets.chain import Credentials, Found, Missing
from mspterm.secrets.choice import Commands
from mspterm.secrets.command import CommandStore
from mspterm.secrets.probe import probe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs")


def store(
    read: list[str], *, write: list[str] | None = None, limit_s: float = 10, **env: str
) -> CommandStore:
    commands = Commands(tuple(read), tuple(write or ()), absent=(44,))
    return CommandStore(lambda _c, _f: commands, {**os.environ, **env}, limit_s=limit_s)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_is_printed_is_the_secret_without_the_line_feed() -> None:
    answer = store(["printf", "C\\101NARY\n"]).get("desk", "token")
    assert (answer.state, answer.secret) == (State.FOUND, Secret("CANARY"))
    assert "CANARY" not in repr(answer)


def test_no_shell_reads_the_arguments() -> None:
    answer = store(["printf", "%s", "$(id);`id`|{connection}.{field}"]).get("desk", "token")
    assert answer.secret == Secret("$(id);`id`|desk.token")


def test_it_is_asked_once_and_kept_in_memory(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program = store(python(f"open({str(asked)!r}, 'a').write('x'); print('v')"))
    assert [program.get("desk", "token").secret for _ in range(3)] == [Secret("v")] * 3
    assert asked.read_text() == "x"


def test_the_child_has_no_secret_and_no_terminal() -> None:
    code = "import os, sys; print(sorted(k for k in os.environ if 'SECRET' in k or 'GPG' in k), end=' ');"
    code += "print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())"
    program = store(python(code), MSPTERM_SECRET_DESK_TOKEN="CANARY", GPG_TTY="/dev/pts/0")
    assert program.get("desk", "token").secret == Secret("[] '' True")


def test_a_program_that_hangs_is_stopped_with_its_children() -> None:
    program = store(["sh", "-c", "sleep 600 & wait"], limit_s=0.2)
    answer = program.get("desk", "token")
    assert answer.state is State.TIMED_OUT
    assert "did not answer in 0.2 s" in answer.sentence
    assert "or set MSPTERM_SECRET_DESK_TOKEN" in answer.sentence


def test_a_program_that_hung_is_not_waited_for_again_soon(tmp_path: Path) -> None:
    now, asked = [0.0], tmp_path / "asked"
    hangs = Commands(("sh", "-c", f"echo >> {asked}; sleep 600"))
    program = CommandStore(lambda _c, _f: hangs, os.environ, limit_s=0.5, clock=lambda: now[0])
    states = [program.get("desk", field).state for field in ("a", "b", "c")]
    assert states == [State.TIMED_OUT] * 3
    assert asked.read_text() == "\n"
    now[0] = 31
    program.get("desk", "a")
    assert asked.read_text() == "\n\n"


@pytest.mark.parametrize(
    ("read", "state", "says"),
    [
        (["sh", "-c", "echo CAN''ARY; echo CAN''ARY >&2; exit 3"], State.FAILED, "sh ended with status 3"),
        (["sh", "-c", "exit 44"], State.ABSENT, "sh has no token"),
        (["true"], State.FAILED, "true printed nothing"),
        (["/nonexistent/op", "read"], State.NO_BACKEND, "op can't be run"),
        (["printf", "\\377"], State.FAILED, "printed nothing"),
    ],
)
def test_each_end_has_its_sentence_and_none_repeats_what_was_printed(
    read: list[str], state: State, says: str
) -> None:
    answer = store(read).get("desk", "token")
    assert (answer.state, answer.secret) == (state, None)
    assert says in answer.sentence
    assert "CANARY" not in answer.sentence


def test_what_is_written_goes_by_stdin(tmp_path: Path) -> None:
    file = tmp_path / "held"
    keeps = store(["cat", str(file)], write=["dd", "status=none", f"of={file}"])
    assert keeps.set("desk", "token", Secret("CANARY")).state is State.STORED
    assert file.read_text() == "CANARY\n"
    assert keeps.get("desk", "token").secret == Secret("CANARY")
    assert store(["cat", str(file)]).set("desk", "token", Secret("x")).state is State.READ_ONLY


def test_a_field_with_its_own_command_wins_over_the_backend(tmp_path: Path) -> None:
    env = home(tmp_path, '[items.desk]\ntoken = ["printf", "%s", "by-command"]\n')
    assert Credentials(env).get("desk", "token") == Found(Secret("by-command"), "command")
    env["MSPTERM_SECRET_DESK_TOKEN"] = "by-env"
    assert Credentials(env).get("desk", "token") == Found(Secret("by-env"), "env")
    with pytest.raises(Failed, match="change it in printf"):
        Credentials(env).set("desk", "token", Secret("x"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('backend = "plaintext"', "must be one of keyring, age, command"),
        ('[items.desk]\ntoken = "op read x | sh"', "must be a table"),
        ("[items.desk]\ntoken = [1]", "must be a list of texts"),
        ('backend = "command"', "needs \\[command\\]"),
        ('tokens = "x"', "tokens is unknown"),
        ("backend = ", "is not TOML"),
        ("[age]\nunlock_h = 48", "at most 24"),
    ],
)
def test_a_wrong_file_is_said_and_no_other_backend_is_asked(tmp_path: Path, text: str, says: str) -> None:
    missing = Credentials(home(tmp_path, text)).get("desk", "token")
    assert isinstance(missing, Missing)
    assert missing.state is State.FAILED
    with pytest.raises(Failed, match=says):
        Credentials(home(tmp_path, text)).set("desk", "token", Secret("x"))


def test_a_file_that_others_can_write_names_no_programs(tmp_path: Path) -> None:
    env = home(tmp_path, '[items.desk]\ntoken = ["printf", "x"]\n')
    file = tmp_path / "mspterm" / "auth.toml"
    file.chmod(0o666)
    missing = Credentials(env).get("desk", "token")
    assert isinstance(missing, Missing)
    assert "Others can change" in missing.sentence


def home(folder: Path, text: str) -> dict[str, str]:
    """The environment of a user whose auth.toml is this."""
    (folder / "mspterm").mkdir(exist_ok=True)
    (folder / "mspterm" / "auth.toml").write_text(text)
    places = {f"XDG_{kind}_HOME": str(folder) for kind in ("CONFIG", "DATA", "STATE")}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **places}


PASS = """
backend = "command"
[command]
read = ["pass", "show", "mspterm/{connection}/{field}"]
write = ["pass", "insert", "--multiline", "--force", "mspterm/{connection}/{field}"]
delete = ["pass", "rm", "--force", "mspterm/{connection}/{field}"]
absent = [1]
"""


@pytest.fixture
def pass_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A password store of its own, with a key that has no passphrase."""
    if not (shutil.which("pass") and shutil.which("gpg")):
        pytest.skip("pass and gpg are not installed")
    folder = tmp_path_factory.mktemp("p")
    env = home(folder, PASS) | {"GNUPGHOME": str(folder / "g"), "PASSWORD_STORE_DIR": str(folder / "store")}
    (folder / "g").mkdir(mode=0o700)
    make = [
        "gpg",
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "t@example.org",
        "default",
        "default",
    ]
    for argv in (make, ["pass", "init", "t@example.org"]):
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            pytest.skip(f"{argv[0]} does not work here: {done.stderr[-200:]}")
    yield env
    subprocess.run(["gpgconf", "--kill", "all"], env=env, capture_output=True, check=False)


@pytest.mark.slow
def test_a_real_password_store_keeps_renews_and_forgets(pass_env: dict[str, str]) -> None:
    chain = Credentials(pass_env)
    assert "stored by pass" in chain.set("desk", "token", Secret("CANARY"))
    assert Credentials(pass_env).get("desk", "token") == Found(Secret("CANARY"), "command")
    chain.rotate("desk", "token", Secret("CANARY"), Secret("CANARY2"))
    assert Credentials(pass_env).get("desk", "token") == Found(Secret("CANARY2"), "command")
    assert chain.journal_key(create=True) == Credentials(pass_env).journal_key() is not None
    assert [step.what for step in probe(chain.stores.chosen) if step.good] == ["write", "read", "delete"]
    assert "deleted" in chain.delete("desk", "token")
    missing = chain.get("desk", "token")
    assert isinstance(missing, Missing)
    assert missing.state is State.ABSENT
    files = [f for f in Path(pass_env["HOME"]).rglob("*") if f.is_file()]
    assert not any(b"CANARY" in f.read_bytes() for f in files)
