"""The eight clients: their trades, agreements, sites and people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    id: int
    name: str
    city: str


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    client: int
    first: str
    last: str
    title: str
    phone: str
    mobile: str
    email: str
    site: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Client:
    """`agreement` None: nothing is covered and all work is billed. `plan` is an SLA of the PSA."""

    id: int
    code: str
    name: str
    trade: str
    agreement: str | None
    plan: int
    zone: str
    sites: tuple[Site, ...]
    contacts: tuple[Contact, ...]
    facts: str


def _client(
    id: int,
    code: str,
    name: str,
    trade: str,
    agreement: str | None,
    plan: int,
    zone: str,
    sites: tuple[tuple[str, str], ...],
    people: tuple[tuple[str, str, str], ...],
    facts: str,
) -> Client:
    """One client with ids that follow from its own: sites 10 * id + n, contacts 100 * id + n."""
    domain = f"{code.lower()}.example"
    # 555 0100 to 0199 is reserved for fiction: two numbers for each person, from 06 on.
    contacts = tuple(
        Contact(
            id * 100 + place,
            id,
            first,
            last,
            title,
            f"+1 555 01{(id - 20) * 6 + place * 2:02}",
            f"+1 555 01{(id - 20) * 6 + place * 2 + 1:02}",
            f"{first.lower()}.{last.lower().replace(' ', '')}@{domain}",
            id * 10 + place % len(sites),
        )
        for place, (first, last, title) in enumerate(people)
    )
    places = tuple(Site(id * 10 + place, *site) for place, site in enumerate(sites))
    return Client(id, code, name, trade, agreement, plan, zone, places, contacts, facts)


CLIENTS = (
    _client(
        21,
        "HVD",
        "Harborview Dental Group",
        "healthcare",
        "Managed Complete 24x7 (HIPAA)",
        1,
        "America/New_York",
        (("Harborview Clinic", "Portland"), ("Eastgate Clinic", "Augusta")),
        (
            ("Dana", "Reyes", "Practice manager"),
            ("Omar", "Haddad", "Dentist"),
            ("Lucia", "Ferri", "Front desk"),
        ),
        "HIPAA: no patient data in notes or output. Business associate: a breach is told within 24 h.",
    ),
    _client(
        22,
        "KSL",
        "Kestrel Logistics",
        "transport",
        "Managed Complete 24x7",
        1,
        "America/Chicago",
        (("Joliet Depot", "Joliet"), ("Head Office", "Chicago")),
        (
            ("Lee", "Park", "Operations director"),
            ("Marta", "Wolska", "Night dispatcher"),
            ("Andre", "Silva", "Depot supervisor"),
        ),
        "Depot runs through the night: call the night dispatcher first.",
    ),
    _client(
        23,
        "MFL",
        "Maple & Finch LLP",
        "legal",
        "Co-managed Infrastructure",
        2,
        "America/New_York",
        (("Maple House", "Boston"),),
        (
            ("Noor", "Rahman", "IT manager"),
            ("Edith", "Finch", "Partner"),
            ("Callum", "Reid", "Paralegal"),
        ),
        "Co-managed: their IT (Noor Rahman) owns desktops; servers and network are ours.",
    ),
    _client(
        24,
        "OAK",
        "Oakline Manufacturing",
        "industry",
        "Managed Infrastructure 24x7",
        1,
        "America/Chicago",
        (("Plant 1", "Rockford"), ("Plant 2", "Beloit")),
        (
            ("Greta", "Olsen", "Plant manager"),
            ("Vikram", "Shah", "Controls engineer"),
            ("Beth", "Cole", "Accounts"),
        ),
        "Change freeze for stocktake until the end of the month: no reboot of OAK-SQL01 or OAK-MES01.",
    ),
    _client(
        25,
        "SMB",
        "Saltmarsh Brewing Co",
        "food",
        "Business Hours 8x5",
        3,
        "America/New_York",
        (("Brewery", "Salem"),),
        (("Finn", "Archer", "Owner"), ("Ida", "Moss", "Taproom manager"), ("Joe", "Tran", "Brewer")),
        "Covered Monday to Friday 9 to 5; outside, Finn Archer must agree to the after-hours rate.",
    ),
    _client(
        26,
        "SBS",
        "St. Brannoc's School",
        "education",
        "Education 12x5",
        2,
        "America/New_York",
        (("Main School", "Concord"), ("Junior School", "Concord")),
        (
            ("Helen", "O'Shea", "Bursar"),
            ("Pritam", "Gill", "Head of ICT"),
            ("Sofia", "Marchetti", "Reception"),
        ),
        "Exams in the main hall: no change on school Wi-Fi during lessons.",
    ),
    _client(
        27,
        "TCU",
        "Tidewater Credit Union",
        "finance",
        "Managed Security 24x7",
        1,
        "America/New_York",
        (("Main Branch", "Norfolk"), ("Harbor Branch", "Hampton")),
        (
            ("Ruben", "Castillo", "IT officer"),
            ("Amelia", "Stone", "Branch manager"),
            ("Yusuf", "Demir", "Compliance"),
        ),
        "Two people for any change on TCU-DC01; compliance (Yusuf Demir) hears of every security ticket.",
    ),
    _client(
        28,
        "COR",
        "Corvid Architects",
        "architecture",
        None,
        2,
        "America/Los_Angeles",
        (("Studio", "Eugene"),),
        (
            ("Wren", "Blackwood", "Principal"),
            ("Theo", "Lang", "Project architect"),
            ("Mina", "Sato", "Office"),
        ),
        "No agreement: all work is billed and needs Wren Blackwood's word.",
    ),
)

CLIENT = {client.id: client for client in CLIENTS}
CLIENT_CODED = {client.code: client for client in CLIENTS}
CONTACT = {contact.id: contact for client in CLIENTS for contact in client.contacts}
SITE = {site.id: (site, client) for client in CLIENTS for site in client.sites}
