"""The age format by pyrage, which is an optional extra; files are readable with the standard tool.

An identity is stored as `age-keygen` writes it, wrapped by a passphrase (scrypt), so that
`age -d -i identity.age secrets.age` asks for the passphrase and prints the secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret

INSTALL = "the age file needs pyrage: `pip install 'mspterm[age]'`"


class NoPyrage(Exception):
    """The extra is not installed."""


def new_identity() -> Secret:
    """AGE-SECRET-KEY-1..."""
    return Secret(str(_pyrage().x25519.Identity.generate()))


def public_of(identity: Secret) -> str:
    """age1...: what others encrypt to."""
    return str(_pyrage().x25519.Identity.from_str(identity.reveal()).to_public())


def wrap(identity: Secret, passphrase: Secret) -> bytes:
    """The identity's file; takes 1.5 s, on purpose."""
    text = f"# public key: {public_of(identity)}\n{identity.reveal()}\n"
    return bytes(_pyrage().passphrase.encrypt(text.encode(), passphrase.reveal()))


def unwrap(content: bytes, passphrase: Secret) -> Secret:
    """Raises Failed where the passphrase is another."""
    pyrage = _pyrage()
    try:
        text = pyrage.passphrase.decrypt(content, passphrase.reveal()).decode()
    except pyrage.DecryptError:
        raise failed(Reason.AUTH, "The passphrase does not open the age file: try again.") from None
    # Other lines are comments of age-keygen, which may have made the file.
    found = next((line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")), None)
    if found is None:
        raise failed(Reason.BAD_DATA, "The age identity file holds no AGE-SECRET-KEY line.")
    return Secret(found.strip())


def seal(content: bytes, recipients: Iterable[str]) -> bytes:
    """Encrypted so that each recipient (age1..., ssh-ed25519 ...) alone can open it.

    Raises Failed naming the recipient that can't be read.
    """
    pyrage = _pyrage()
    return bytes(pyrage.encrypt(content, [_recipient(pyrage, text) for text in recipients]))


def unseal(content: bytes, identity: Secret) -> bytes:
    """Raises Failed where this identity is none of the recipients."""
    pyrage = _pyrage()
    try:
        return bytes(pyrage.decrypt(content, [pyrage.x25519.Identity.from_str(identity.reveal())]))
    except pyrage.DecryptError:
        sentence = "The age file is damaged, or encrypted to another identity than identity.age."
        raise failed(Reason.BAD_DATA, sentence) from None


def check_recipient(text: str) -> None:
    """Raises Failed where `text` is no recipient."""
    _recipient(_pyrage(), text)


def _recipient(pyrage: Any, text: str) -> Any:
    try:
        of = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        return of.Recipient.from_str(text)
    except pyrage.RecipientError:
        sentence = f"{text!r} is no age recipient: one looks like age1... or ssh-ed25519 ..."
        raise failed(Reason.REFUSED, sentence) from None


def _pyrage() -> Any:
    # By name: the extra has no types, and is not there for everybody.
    try:
        return import_module("pyrage")
    except ImportError:
        raise NoPyrage from None
