"""Who is behind a tier and a vendor by `[escalation]`: a board move wakes nobody, a call does."""

from __future__ import annotations

from mspterm.config.model import Vendor
from mspterm.desk.desk import Desk
from mspterm.domain.reasons import Reason, failed
from mspterm.domain.ticket import Ticket


def vendor_of(desk: Desk, to: str) -> Vendor | None:
    """The vendor that `vendor:NAME` means, None where it is no vendor or none is configured. Raises
    Failed naming those there are."""
    kind, _, name = to.partition(":")
    vendors = desk.config.escalation.vendors
    if kind != "vendor" or not vendors:
        return None
    found = next((v for n, v in vendors.items() if n.casefold() == name.casefold()), None)
    if found is None:
        known = ", ".join(vendors)
        raise failed(
            Reason.NOT_FOUND, f"escalate: there is no vendor {name} in [escalation.vendors]: {known}."
        )
    return found


def told_vendor(vendor: Vendor | None, case: str | None) -> str:
    """The line that a handoff to a vendor ends in; empty where there is none."""
    if vendor is None:
        return ""
    return f"\n\nVendor: {_support(vendor)}, case number: {case or 'none yet'}"


def calls(desk: Desk, ticket: Ticket, to: str, queue: str) -> tuple[str, ...]:
    """The plan's lines on whom to call."""
    vendor = vendor_of(desk, to)
    if vendor is not None:
        return (f"  a board move wakes nobody: call {_support(vendor)}",)
    tier = desk.connection(ticket.connection).tiers.get(queue)
    team = desk.config.escalation.tiers.get(tier or "")
    if team is None:
        return ("  a board move wakes nobody, and nobody is named in [escalation.tiers] for it",)
    phones = ", ".join(f"{name} {phone}" for name, phone in team.phones.items()) or "no phone is known"
    members = f"  read by: {', '.join(team.members)}" if team.members else ""
    hours = f" (hours: {team.hours})" if team.hours else ""
    return (*([members] if members else []), f"  a board move wakes nobody: call {phones}{hours}")


def _support(vendor: Vendor) -> str:
    contract = f", contract {vendor.contract}" if vendor.contract else ""
    hours = f" (hours: {vendor.hours})" if vendor.hours else ""
    return f"{vendor.name} {vendor.phone}{hours}{contract}"
