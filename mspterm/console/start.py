"""Opens the console: what can go wrong before the first frame is said in a sentence, not drawn."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from mspterm.config import paths
from mspterm.config.load import ConfigError, load
from mspterm.config.model import Config
from mspterm.console import terminal as terminals
from mspterm.domain.reasons import Failed
from mspterm.domain.secret import Secret
from mspterm.secrets.seen import seen
from mspterm.store.store import Store

FAILED, USAGE = 1, 2


def run(config_file: Path | None, state_dir: Path | None, *, read_only: bool) -> int:
    """Run the console until it is left; its exit status. Ends the process where one ran."""
    try:
        config = load(config_file)
        # Before the store: a wrong terminal must not cost a migration or take a lock.
        here = terminals.survey_here(mouse=config.console.mouse)
    except ConfigError as error:
        return _sorry(str(error), USAGE)
    except Failed as error:
        return _sorry(error.failure.sentence, USAGE)
    # Before any import of Textual, which reads these once.
    terminals.prepare(os.environ)
    state = paths.state_dir(state_dir)
    try:
        store = Store(state)
    except Failed as error:
        return _sorry(error.failure.sentence, FAILED)
    return _draw(config, state, store, here, read_only=read_only)


def _draw(config: Config, state: Path, store: Store, here: terminals.Terminal, *, read_only: bool) -> int:
    # Textual is imported from here on, once it is sure that there is something to draw on.
    from mspterm.console.app import MsptermApp
    from mspterm.console.crash import CrashReporter
    from mspterm.console.lifeline import leave
    from mspterm.console.lifeline import run as run_app
    from mspterm.console.session import Session

    session = Session(config, state, store, read_only=read_only, clock=time.time)
    # The secrets are asked for at the crash: most are read long after the start.
    crashes = CrashReporter(
        state / "crash", lambda: (*_environment_secrets(), *seen()), lambda: datetime.now(UTC)
    )
    try:
        app = MsptermApp(session, here, crashes, own_themes=paths.place("config") / "themes")
    except Failed as error:
        return _sorry(error.failure.sentence, USAGE)
    # Last before the run: a start that fails leaves the title as it is.
    _set_title()
    status = run_app(app, app.lifeline, mouse=here.mouse)
    # Closed here, as what follows runs no destructor and SQLite is to fold its WAL in.
    store.close()
    return leave(status)


def _environment_secrets() -> Iterable[Secret]:
    return (Secret(value) for name, value in os.environ.items() if name.startswith("MSPTERM_SECRET_"))


def _set_title() -> None:
    """Textual draws on stderr and has no title of its own."""
    if sys.__stderr__ is not None:
        sys.__stderr__.write(terminals.title())
        sys.__stderr__.flush()


def _sorry(text: str, status: int) -> int:
    sys.stderr.write("".join(f"mspterm: {row}\n" for row in text.splitlines()))
    return status
