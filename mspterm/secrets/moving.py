"""Credentials from one backend to another: copied, read back, and only then deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets.answer import Answer, SecretStore, State
from mspterm.secrets.choice import check_place
from mspterm.secrets.stores import Stores

Name = tuple[str, str]
"""A connection and a field."""


def move(stores: Stores, names: Iterable[Name], to: str, *, leave: bool = False) -> Iterator[str]:
    """Makes `to` the backend; yields a sentence for each thing done. `leave` takes nothing along.

    Raises Failed before anything is deleted; both backends may then hold copies.
    """
    choice = stores.choice
    # Before the first copy: copies in a backend that can't be named would be found by nobody.
    check_place(choice.file)
    source, target = stores.chosen, stores.named(to)
    if source.name == to and choice.remembered:
        raise failed(Reason.REFUSED, f"{target.title[0].upper()}{target.title[1:]} is the backend already.")
    if to == "command" and choice.command is None:
        sentence = f"{choice.file} has no [command] with read and write: add it first."
        raise failed(Reason.REFUSED, sentence)
    moved: list[Name] = []
    if source.name != to and not leave:
        for name in names:
            if name in choice.items:
                yield f"{name[0]}: {name[1]} stays with its own command."
            elif _copied(source, target, name):
                moved.append(name)
                yield f"{name[0]}: {name[1]} is in {target.title}."
    # Named before the old copies go: wherever this ends, the backend that is named holds all.
    stores.choose(to)
    yield f"{choice.file} names {target.title}."
    yield from _deleted(source, moved)


def _copied(source: SecretStore, target: SecretStore, name: Name) -> bool:
    """Whether there was something to copy."""
    held = source.get(*name)
    if held.secret is None:
        # A backend that isn't there holds nothing of ours that could be lost.
        if held.state in (State.ABSENT, State.NO_BACKEND):
            return False
        hint = "`--leave` chooses the other one without what is there."
        raise failed(Reason.REFUSED, f"{held.sentence} {hint}")
    _must(target.set(*name, held.secret), State.STORED)
    _same(target.get(*name), held.secret, name)
    return True


def _must(answer: Answer, state: State) -> None:
    if answer.state is not state:
        raise failed(Reason.REFUSED, answer.sentence)


def _same(answer: Answer, secret: Secret, name: Name) -> None:
    if answer.secret != secret:
        sentence = (
            f"{name[0]}: {name[1]} could not be read back from where it was copied to; nothing is lost."
        )
        raise failed(Reason.REFUSED, sentence)


def _deleted(source: SecretStore, names: list[Name]) -> Iterator[str]:
    # Told and not raised where one fails: the move itself is done by now.
    for name in names:
        answer = source.delete(*name)
        if answer.state is not State.DELETED:
            yield f"{answer.sentence} Its copy there is yours to delete."
