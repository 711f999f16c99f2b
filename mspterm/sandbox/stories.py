"""What tickets are about: the stuff that a service desk's day is made of."""

from __future__ import annotations

from dataclasses import dataclass

# Ids of the catalogue's priorities, sources and boards.
P1, P2, P3, P4, P5 = 6, 15, 8, 7, 5
PHONE, MAIL, PORTAL, ALERT, TECH = 1, 2, 3, 4, 5
HELP, MONITOR, SYSTEMS, NETWORK, VENDOR, CHANGE, PROJECT = 1, 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of ticket. `roles` are the device roles that it can be about, none where no device is.

    In the texts {device}, {contact} and {site} stand for what the ticket is about. `customer` is what
    the client's person writes when they write again, `finding` what a technician notes inside.
    """

    board: int
    type: str
    priority: int
    source: int
    summary: str
    body: str
    roles: tuple[str, ...] = ()
    customer: str = "Any news on this? It still happens here."
    finding: str = "Remoted in, could reproduce it. Checking the event log next."


_PC = ("WS", "LT")
_SERVER = ("DC", "FS", "SQL", "MES", "RDS")

# The first is the ticket whose response runs out; another number or order of them changes every
# seed's world. monitor._KIND_OF_STORY looks for words of the summaries.
STORIES = (
    Story(
        SYSTEMS,
        "Incident",
        P1,
        PHONE,
        "{device} not reachable, nobody can open files",
        "{contact} called: since this morning nobody at {site} can open the shared drives.\n"
        "The server answers ping but the shares hang. About 25 people affected.",
        ("FS", "DC", "NAS"),
        "We have people sitting here doing nothing. How long will it take?",
        "srv service hangs on stop; disk queue above 40. Not the network.",
    ),
    Story(
        HELP,
        "Incident",
        P3,
        MAIL,
        "Outlook keeps asking for password after MFA reset",
        "Hello,\n\nafter the reset of my authenticator yesterday Outlook asks for my password every few "
        "minutes. Webmail works.\n\nThanks\n{contact}",
        _PC,
        "I tried what you wrote, it asked again after ten minutes.",
        "Old token in the credential manager; clear it and sign in once in the browser.",
    ),
    Story(
        HELP,
        "Incident",
        P3,
        PHONE,
        "VPN drops every 20 minutes from home office",
        "{contact} works from home; the VPN drops every 20 minutes and comes back by itself.",
        ("LT",),
        "It dropped again during a call with a customer.",
        "MTU on the home router looks wrong, test with 1350.",
    ),
    Story(
        MONITOR,
        "Alert",
        P2,
        ALERT,
        "{device}: backup job Nightly-VM failed, repository full",
        "Job Nightly-VM on {device} ended with errors: there is not enough space on the repository.",
        ("NAS", "HV", "FS"),
        finding="Retention keeps 60 points instead of 30 since the upgrade.",
    ),
    Story(
        HELP,
        "Request",
        P4,
        PORTAL,
        "New starter Monday: account, laptop and phone",
        "New starter: Jamie Ortega, starts Monday at {site}.\nNeeds: account, mail, laptop, desk phone, "
        "same groups as the rest of the team.",
        customer="Could the laptop be here on Friday already?",
        finding="Licence ordered; laptop from stock, imaging tomorrow.",
    ),
    Story(
        HELP,
        "Incident",
        P4,
        PHONE,
        "Printer on 2nd floor prints blank pages",
        "All print jobs on the 2nd floor come out blank since the toner was changed.",
        ("PRN",),
    ),
    Story(
        NETWORK,
        "Security",
        P2,
        ALERT,
        "Suspicious sign-in from an unfamiliar location ({contact})",
        "Microsoft 365: sign-in for {contact} from an address in another country, MFA passed.",
        customer="I am in the office, I did not travel anywhere!",
        finding="Sessions revoked, password reset. Inbox rules are clean so far.",
    ),
    Story(
        MONITOR,
        "Alert",
        P2,
        ALERT,
        "{device}: disk D: below 5 % free",
        "Condition Disk free space: volume D: of {device} has less than 5 % free.",
        ("FS", "SQL", "RDS"),
        finding="Largest folder is D:\\Staging, written by the backup.",
    ),
    Story(
        NETWORK,
        "Incident",
        P1,
        PHONE,
        "Phones down at the front desk",
        "{contact} on the mobile: all desk phones at {site} show No service.",
        ("SW", "FW"),
        "Patients and customers can't reach us, please call my mobile.",
        "PoE on ports 1-12 is off after last night's reboot of the switch.",
    ),
    Story(
        HELP,
        "Incident",
        P3,
        PORTAL,
        "Cannot open shared drive S:",
        "Drive S: has a red cross since yesterday. Colleagues can open it.",
        _PC,
    ),
    Story(
        NETWORK,
        "Security",
        P1,
        PHONE,
        "Ransom note found on a workstation",
        "{contact} reports a text file HOW_TO_RECOVER on the desktop and files that don't open. "
        "Told to leave the PC on and unplug the network.",
        ("WS",),
        "Nobody touched it since. What do we tell the others?",
        "Isolated by EDR at once. Looking for the way in; no other host shows signs.",
    ),
    Story(
        HELP,
        "Incident",
        P4,
        MAIL,
        "Teams calls choppy in the meeting room",
        "In the big meeting room at {site} Teams calls are choppy, on laptops it is fine.",
    ),
    Story(
        MONITOR,
        "Alert",
        P3,
        ALERT,
        "{device}: certificate expires in 7 days",
        "The certificate of the portal on {device} expires in 7 days.",
        ("RDS", "MES", "FS"),
        finding="Renewal by DNS challenge; needs the registrar's login from the client.",
    ),
    Story(
        HELP,
        "Request",
        P4,
        MAIL,
        "Please add me to the Finance distribution list",
        "Hi, could you add me to the Finance list please? My manager agrees (in copy).\n{contact}",
        customer="My manager has just written to you as well.",
        finding="Approval by the list's owner needed.",
    ),
    Story(
        SYSTEMS,
        "Incident",
        P2,
        PHONE,
        "Line-of-business app crashes on invoice export",
        "Since the update each invoice export ends with a crash. Month end is on Friday.",
        ("SQL", "MES", "RDS"),
        "We must send invoices by Friday noon.",
        "Vendor's KB 4471: needs the ODBC driver 18.4 on the server.",
    ),
    Story(
        NETWORK,
        "Problem",
        P3,
        TECH,
        "Wi-Fi weak in the warehouse (problem)",
        "Third report of weak Wi-Fi in the warehouse of {site}. Survey needed.",
        ("AP", "SW"),
        finding="Channel plan overlaps with the neighbour's. Survey on Thursday.",
    ),
    Story(
        HELP,
        "Incident",
        P4,
        MAIL,
        "Windows 11 upgrade stuck at 71 %",
        "My PC says 71 % since two hours. May I switch it off?",
        _PC,
        "It is still at 71 %.",
        "Driver of the fingerprint reader blocks it; known.",
    ),
    Story(
        CHANGE,
        "Change",
        P5,
        TECH,
        "Firewall firmware 7.4.8 on {device} (maintenance window)",
        "Planned: firmware 7.4.8 for CVE fixes. Window Saturday 22:00-23:30, rollback by the old partition.",
        ("FW",),
        finding="Config saved; {contact} has approved by mail.",
    ),
    Story(
        HELP,
        "Request",
        P3,
        PORTAL,
        "Leaver: disable the account today and forward mail",
        "Please disable the account of our leaver today 17:00 and forward the mail to {contact}.",
    ),
    Story(
        MONITOR,
        "Alert",
        P3,
        ALERT,
        "{device}: service Print Spooler stopped",
        "Condition Windows service: Spooler on {device} is STOPPED, expected RUNNING.",
        ("FS", "DC", "RDS"),
    ),
    Story(
        MONITOR,
        "Alert",
        P4,
        ALERT,
        "{device}: reboot pending for 14 days",
        "{device} waits for a reboot since Patch Tuesday.",
        _SERVER,
    ),
    Story(
        SYSTEMS,
        "Incident",
        P2,
        PHONE,
        "Remote desktop very slow for everyone",
        "All users of the terminal server say it is very slow since 10 o'clock.",
        ("RDS", "HV", "ESX"),
        "Now people are thrown out of their sessions.",
        "A browser with 140 tabs per user; memory at 97 %.",
    ),
    Story(
        VENDOR,
        "Incident",
        P3,
        TECH,
        "ISP case: packet loss on the main line at {site}",
        "Packet loss of 4 % on the main line, measured over two days. Case opened with the carrier.",
        ("FW",),
        "The carrier called us, they want to come on Wednesday.",
        "Carrier case 88-20417; they see errors on their side of the ONT.",
    ),
    Story(
        HELP,
        "Request",
        P4,
        PHONE,
        "Second monitor for {contact}",
        "{contact} asks for a second monitor for the desk at {site}.",
        customer="My manager has approved the cost.",
    ),
    Story(
        MONITOR,
        "Alert",
        P2,
        ALERT,
        "{device}: S.M.A.R.T. status degraded, disk 1",
        "The controller of {device} reports a predictive failure on disk 1.",
        ("NAS", "FS", "HV", "ESX"),
        finding="Spare is in the cupboard; swap tonight, RAID 6.",
    ),
    Story(
        SYSTEMS,
        "Request",
        P4,
        MAIL,
        "Restore a folder from last Tuesday",
        "Someone deleted the folder Projects/2026/Harbor. Could you restore it from last Tuesday?",
        ("FS", "NAS"),
        "It is urgent now, the client comes at three.",
    ),
    Story(
        HELP,
        "Incident",
        P2,
        PHONE,
        "Locked out: {contact} can't sign in",
        "{contact} is locked out after the holiday. Called back on the number on file.",
        _PC,
    ),
    Story(
        NETWORK,
        "Incident",
        P2,
        ALERT,
        "{device}: VPN tunnel to head office flapping",
        "The site-to-site tunnel of {device} went down 14 times in the last hour.",
        ("FW",),
        finding="Rekey mismatch after the firmware update at the other end.",
    ),
    Story(
        SYSTEMS,
        "Problem",
        P3,
        TECH,
        "Recurring: SQL backups overlap with the antivirus scan",
        "Four tickets in a month about slow nights on {device}. Scan and backup run at the same hour.",
        ("SQL", "MES"),
    ),
    Story(
        HELP,
        "Incident",
        P3,
        MAIL,
        "Mail to one customer comes back (550 5.7.1)",
        "Mails to our biggest customer come back with 550 5.7.1. Others arrive.\n\n{contact}",
        (),
        "They say our domain is on a block list?",
        "SPF has two records since the newsletter tool was added.",
    ),
)

PROJECTS = (
    "Server 2012 replacement: {site}",
    "Microsoft 365 tenant hardening",
    "Move telephony to the cloud: {site}",
    "Wi-Fi renewal {site}",
)

THANKS = (
    "Works again, thank you!",
    "Thanks, that was quick. You can close it.",
    "It is better now but not completely gone.",
    "Thank you. One more thing: the same happens on my colleague's PC.",
    "Sorry, I was in a meeting. You can connect now.",
)

FIRST_REPLY = (
    "Hello, thank you for reporting this. I am looking into it now and come back to you within the hour.",
    "Hi, I have taken your ticket. When can I connect to your PC for ten minutes?",
    "Hello, we have found the cause and are working on it. Next update in an hour.",
)


def fill(text: str, *, device: str, contact: str, site: str) -> str:
    """The text with its placeholders filled in."""
    return text.replace("{device}", device).replace("{contact}", contact).replace("{site}", site)
