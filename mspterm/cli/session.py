"""One verb's run: configuration, desk and event loop, and failures turned into exit statuses."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn

import click

from mspterm.cli.output import say
from mspterm.cli.root import Launcher, Options
from mspterm.config.load import ConfigError, load
from mspterm.config.model import Config
from mspterm.config.paths import state_dir
from mspterm.desk.desk import Desk, NoCredential, split_ref
from mspterm.desk.look import ticket_now
from mspterm.desk.perform import Performer
from mspterm.desk.sync import Sync
from mspterm.domain.reasons import Failed, Failure
from mspterm.secrets.harden import harden
from mspterm.store.store import StoreError

# Scripts go by these numbers: their order is part of the command line.
DONE, FAILED, USAGE, PARTLY, NO_CREDENTIAL, UNCERTAIN = range(6)


def options() -> Options:
    launcher = click.get_current_context().find_object(Launcher)
    return launcher.options if launcher else Options()


def read_config() -> Config:
    """The configuration, or its errors on stderr and exit status 2."""
    try:
        return load(options().config)
    except ConfigError as error:
        complain(str(error))
        raise SystemExit(USAGE) from None


def run(verb: Callable[[Desk], Awaitable[int]]) -> NoReturn:
    """Runs one verb on a desk of its own and exits with its status.

    Leaves by `os._exit`, after flushing, so that a hung keyring or name server can't hold the end.
    """
    status = _status(verb)
    _flush()
    os._exit(status)


def _status(verb: Callable[[Desk], Awaitable[int]]) -> int:
    config = read_config()
    # Before a credential is read.
    harden()
    try:
        return asyncio.run(_with_desk(config, verb))
    except NoCredential as error:
        # Before Failed, of which it is one, for its status of its own.
        complain(error.failure.sentence)
        return NO_CREDENTIAL
    except Failed as error:
        complain(str(error.failure))
        return FAILED
    except StoreError as error:
        where = state_dir(options().state_dir)
        complain(f"The store in {where} can't be used ({error}); is there room, and are its rights right?")
        return FAILED
    except BrokenPipeError:
        # `mspterm tickets | head` is no failure.
        _quiet()
        return DONE
    except KeyboardInterrupt:
        return 130


async def _with_desk(config: Config, verb: Callable[[Desk], Awaitable[int]]) -> int:
    desk = Desk(config, state_dir(options().state_dir), read_only=options().read_only)
    try:
        return await verb(desk)
    finally:
        await desk.aclose()


def _flush() -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _quiet()


def _quiet() -> None:
    """Points stdout away, so that the end of a closed pipe is not reported a second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(sentence: str) -> None:
    say(f"mspterm: {sentence}", err=True)


async def refresh(desk: Desk, names: Iterable[str], *, offline: bool = False) -> list[Failure]:
    """Refreshes what is older than its interval; returns why connections aren't up to date."""
    sync = Sync(desk)
    # A verb that reads sends what waits as well: there may be no console that would.
    sync.flush = Performer(desk).flush
    if offline:
        return []
    found = await asyncio.gather(*(_refresh_one(desk, sync, n) for n in names if not sync.fresh(n)))
    return [failure for failure in found if failure is not None]


async def _refresh_one(desk: Desk, sync: Sync, name: str) -> Failure | None:
    try:
        await desk.connector(name)
    except NoCredential as error:
        return error.failure
    except Failed as error:
        desk.store.connections.failed(name, error.failure, desk.now())
        return error.failure
    return await sync.once(name)


async def no_credentials(desk: Desk, names: Iterable[str]) -> bool:
    """Whether no backend has a credential for any of these connections."""
    names = list(names)
    for name in names:
        try:
            await desk.connector(name)
        except NoCredential:
            continue
        except Failed:
            # A backend that is locked or broken has not said that there is none.
            pass
        return False
    return bool(names)


async def fetch(desk: Desk, ref: str) -> Failure | None:
    """Reads one ticket anew into the store; the failure where the server can't be asked."""
    # Raises: a connection that isn't there is a typing error, no failure to be lived with.
    desk.connection(split_ref(ref)[0])
    try:
        await ticket_now(desk, ref)
    except NoCredential:
        raise
    except Failed as error:
        return error.failure
    return None
