"""Crash reports: private, masked, without locals, and safe to print."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

from mspterm.console.crash import CrashReporter, masked
from mspterm.domain.secret import Secret

AT = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)


def reporter(folder: Path, *secrets: str) -> CrashReporter:
    return CrashReporter(folder, lambda: [Secret(s) for s in secrets], lambda: AT)


def crash(local: str) -> Exception:
    kept = local + "-in-a-local"
    try:
        raise ValueError(f"{len(kept)} refused: {local}\x1b]0;x\x07")
    except ValueError as error:
        return error


def test_a_report_has_the_frames_and_neither_secrets_nor_locals(tmp_path: Path) -> None:
    sentence = reporter(tmp_path / "state", "hunter22").record(crash("hunter22"))
    [path] = (tmp_path / "state").iterdir()
    text = path.read_text()
    assert str(path) in sentence
    assert "ValueError" in sentence
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "refused: ***" in text
    assert "in crash" in text
    assert "in-a-local" not in text.replace('local + "-in-a-local"', "")
    assert "\x1b" not in text


def test_the_longer_of_two_secrets_is_masked_first() -> None:
    secrets = [Secret("abcd"), Secret("abcdefgh")]
    assert masked("x abcdefgh y abcd", secrets) == "x *** y ***"


def test_a_secret_too_short_to_be_one_leaves_the_text_readable() -> None:
    assert masked("a traceback", [Secret("a"), Secret("")]) == "a traceback"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = reporter(tmp_path / "file").record(crash("x"))
    assert "no report could be written" in sentence


def test_a_crash_without_an_exception_is_recorded_too(tmp_path: Path) -> None:
    assert "an unknown error" in reporter(tmp_path).record(None)
