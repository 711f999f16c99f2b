"""The second person: a technician's signing key, a plan signed with it, and whether that holds here.

Ed25519 by `cryptography`, imported only where something is signed or checked.
"""

from __future__ import annotations

import base64
import contextlib
import getpass
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mspterm.config.kinds import APPROVAL_FIELD, RESERVED
from mspterm.desk.desk import Desk
from mspterm.domain.action import Plan
from mspterm.domain.approval import Approval, Presented, Request, doubt
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.secret import Secret
from mspterm.secrets.chain import Credentials, Found

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LEFT_OVER_S = 86_400


def requester(desk: Desk) -> str:
    """Who asks, as the journal names the technician."""
    return desk.config.technician.name or getpass.getuser()


async def doubt_of(desk: Desk, plan: Plan, approval: Approval) -> str | None:
    """Why the approval doesn't hold for this plan at this desk now; None where it does."""
    held = await desk.credentials.aget(RESERVED, APPROVAL_FIELD)
    # By key and not only by name: who asks might be listed a second time under another.
    own = public_key(held.secret) if isinstance(held, Found) else None
    used = _mark_of(desk, approval).exists()
    here = Presented(requester(desk), desk.now(), desk.config.guard.approvers, own, used)
    return doubt(approval, plan.whole, here, _proves)


def spend(desk: Desk, approval: Approval) -> bool:
    """Marks the approval as used; whether it was unused, of several processes for one alone."""
    mark = _mark_of(desk, approval)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in mark.parent.iterdir():
            with contextlib.suppress(OSError):
                # An approval holds for 15 minutes: a mark that is a day old guards nothing.
                if time.time() - old.stat().st_mtime > _LEFT_OVER_S:
                    old.unlink()
        # Making the file is the lock: the kernel lets one of several processes do it.
        mark.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    except OSError as error:
        raise failed(
            Reason.REFUSED, f"The approval can't be marked as used ({error}): nothing is done."
        ) from error
    return True


def sign(request: Request, by: str, now: datetime, secret: Secret) -> Approval:
    """The request signed. Raises Failed where the secret is no key."""
    unsigned = Approval(request, by, now.replace(microsecond=0))
    signature = _private(secret).sign(unsigned.message)
    return Approval(request, by, unsigned.at, signature)


def new_key() -> Secret:
    """A new Ed25519 secret key, 64 hex digits."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Secret(Ed25519PrivateKey.generate().private_bytes_raw().hex())


def public_key(secret: Secret) -> str:
    """In base64, as `[guard.approvers]` lists it. Raises Failed where the secret is no key."""
    return base64.b64encode(_private(secret).public_key().public_bytes_raw()).decode()


def own_key(credentials: Credentials) -> Secret:
    """The technician's own. Raises Failed where there is none."""
    held = credentials.get(RESERVED, APPROVAL_FIELD)
    if isinstance(held, Found):
        return held.secret
    raise failed(
        Reason.AUTH, f"You have no key to sign with: `mspterm approve --init` makes one. {held.sentence}"
    )


def _private(secret: Secret) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret.reveal()))
    except ValueError:
        sentence = (
            "The key that signs approvals is none: it must be 64 hex digits (`mspterm approve --init`)."
        )
        raise failed(Reason.REFUSED, sentence) from None


def _proves(key: str, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _mark_of(desk: Desk, approval: Approval) -> Path:
    return desk.state_dir / "approvals" / approval.request.id
