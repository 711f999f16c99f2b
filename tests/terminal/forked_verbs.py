"""Verbs in children of one process that has imported everything: a start costs milliseconds.

Run as `python -m tests.terminal.forked_verbs` it takes argument lists, one JSON a line, and answers each
with the exit status and the names of two files: what went to stdout and to stderr.
"""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]


class Verbs:
    """The process, as seen by a test."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**env, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Verbs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.communicate(timeout=10)

    def run(self, *argv: str) -> subprocess.CompletedProcess[bytes]:
        """One verb, with its raw output."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(argv) + "\n")
        self._process.stdin.flush()
        status, out, err = json.loads(self._process.stdout.readline())
        with open(out, "rb") as stdout, open(err, "rb") as stderr:
            return subprocess.CompletedProcess(argv, status, stdout.read(), stderr.read())


def _serve() -> None:
    for package in ("mspterm.cli", "mspterm.desk", "mspterm.connectors.rt", "mspterm.connectors.meshcentral"):
        for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(sys.stdin):
            out, err = f"{folder}/{number}.out", f"{folder}/{number}.err"
            child = os.fork()
            if child == 0:
                _become(json.loads(line), out, err)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            sys.stdout.write(json.dumps([status, out, err]) + "\n")
            sys.stdout.flush()


def _become(argv: list[str], out: str, err: str) -> None:
    """The verb, as `python -m mspterm` would run it."""
    from mspterm.main import main

    for name, flags, fd in ((os.devnull, os.O_RDONLY, 0), (out, os.O_WRONLY, 1), (err, os.O_WRONLY, 2)):
        os.dup2(os.open(name, flags | (os.O_CREAT if fd else 0), 0o600), fd)
    sys.argv = ["mspterm", *argv]
    status = 1
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
