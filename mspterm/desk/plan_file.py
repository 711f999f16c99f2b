"""A plan above the caps as a file: for a second technician to read and sign, and for the guard to check."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from mspterm.domain.action import Plan
from mspterm.domain.approval import Approval, Request, shown
from mspterm.domain.reasons import Reason, failed

_LARGEST = 1_000_000


def request_of(plan: Plan, requester: str, now: datetime) -> Request:
    return Request(os.urandom(8).hex(), requester, now.replace(microsecond=0), plan.whole)


def write(file: Path, made: Request | Approval) -> None:
    """Into a new file. Raises Failed where that can't be done, also where there is one already."""
    request = made.request if isinstance(made, Approval) else made
    document: dict[str, Any] = {
        "mspterm_plan": 1,
        "id": request.id,
        "requester": request.requester,
        "asked_at": request.asked_at.isoformat(),
        "plan": json.loads(request.plan),
    }
    if isinstance(made, Approval):
        signature = base64.b64encode(made.signature).decode()
        document["approval"] = {"by": made.by, "at": made.at.isoformat(), "signature": signature}
    try:
        with file.open("x", encoding="ascii") as out:
            out.write(json.dumps(document, indent=1, ensure_ascii=True) + "\n")
    except OSError as error:
        raise failed(Reason.REFUSED, f"{file} can't be written: {error.strerror}.") from error


def read_request(file: Path) -> Request:
    """Raises Failed where the file can't be read or is no plan."""
    return _request(_document(file), file)


def read_approval(file: Path) -> Approval:
    """Raises Failed where the file can't be read or holds no signed plan."""
    document = _document(file)
    request = _request(document, file)
    try:
        said = document["approval"]
        at = _instant(said["at"])
        return Approval(request, str(said["by"]), at, base64.b64decode(said["signature"], validate=True))
    except (KeyError, TypeError, ValueError):
        sentence = f"{file} is not signed yet: a second technician runs `mspterm approve {file}`."
        raise failed(Reason.BAD_DATA, sentence) from None


def _document(file: Path) -> Any:
    try:
        with file.open("rb") as opened:
            # No more than that, whatever it is: the file comes from somebody else, and may be a device.
            data = opened.read(_LARGEST + 1)
    except OSError as error:
        raise failed(Reason.NOT_FOUND, f"{file} can't be read: {error.strerror}.") from error
    try:
        return json.loads(data) if len(data) <= _LARGEST else None
    except (ValueError, RecursionError):
        return None


def _request(document: Any, file: Path) -> Request:
    try:
        if document["mspterm_plan"] != 1:
            raise ValueError
        # What is signed is the plan's canonical text; how the file was indented on its way doesn't count.
        plan = json.dumps(document["plan"], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        found = Request(str(document["id"]), str(document["requester"]), _instant(document["asked_at"]), plan)
        # The id becomes a file's name (`approvals/ID`): digits only, or it could lead anywhere.
        int(found.id, 16)
        # Raises here what would otherwise break half-way through showing it to who signs.
        shown(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise failed(Reason.BAD_DATA, f"{file} is no plan of mspterm's (`--plan-out`).") from None
    return found


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(str(text))
    # Without a zone it couldn't be compared with any now, and its age decides.
    if at.tzinfo is None:
        raise ValueError(text)
    return at
