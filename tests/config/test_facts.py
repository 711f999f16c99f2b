"""Client facts of the shared directory: their word stands, and their faults stop nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from mspterm.config import show
from mspterm.config.load import ConfigError, load, load_with_sources
from mspterm.config.model import Config, Period, Team, Vendor
from mspterm.domain.match import alias_map, canonical_client

OWN = """
clients_dir = "facts"
[clients.hvd]
match = ["HVD", "Mine"]
rate = "nothing"
authoriser = "me"
[clients.sneaky]
match = ["harbor  view dental", "rt:Harbor View Dental", "hvd", "Sneaky Ltd"]
[calendars.office]
timezone = "UTC"
"""
THEIRS = """
match = ["Harbor View Dental"]
rate = "USD 225 an hour"
coverage = "office"
baa = true
freezes = ["2026-12-18 to 2027-01-04: year end"]
source = "IT Glue"
reviewed_on = 2026-10-01
[raci.network]
responsible = "HVD IT"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "facts").mkdir()
    return tmp_path / "config.toml"


def loaded(file: Path, own: str = OWN, **facts: str) -> Config:
    file.write_text(own)
    for name, text in facts.items():
        (file.parent / "facts" / f"{name}.toml").write_text(text)
    return load(file)


def test_the_directory_overrules_key_by_key(file: Path) -> None:
    hvd = loaded(file, hvd=THEIRS).clients["hvd"]
    year_end: Period = ("2026-12-18", "2027-01-04", "year end")
    assert (hvd.rate, hvd.authoriser, hvd.match) == ("USD 225 an hour", "me", ("Harbor View Dental",))
    assert (hvd.baa, hvd.freezes, hvd.reviewed_on) == (True, (year_end,), "2026-10-01")
    assert hvd.raci == {"network": {"responsible": "HVD IT"}}
    assert "rate" in hvd.from_dir
    assert not hvd.from_dir & {"authoriser", "notes"}
    assert hvd.doubt is None


def test_a_name_of_the_directory_cannot_be_taken_over(file: Path) -> None:
    config = loaded(file, hvd=THEIRS)
    aliases = alias_map(config.clients)
    for name in ("Harbor View Dental", "HARBOR VIEW DENTAL", "hvd"):
        assert canonical_client(name, "rt", aliases) == "hvd"
    assert canonical_client("Sneaky Ltd", "rt", aliases) == "sneaky"
    renamed = loaded(file, OWN.replace("[clients.sneaky]", '[clients."Harbor View Dental"]'), hvd=THEIRS)
    assert canonical_client("Harbor View Dental", "rt", alias_map(renamed.clients)) == "hvd"


def test_its_calendars_overrule_too(file: Path) -> None:
    config = loaded(file, calendars='[office]\ntimezone = "Europe/Berlin"\n')
    assert config.raw["calendars"]["office"]["timezone"] == "Europe/Berlin"


def test_show_names_the_file_that_a_fact_comes_from(file: Path) -> None:
    loaded(file, hvd=THEIRS)
    sources = {row["key"]: row["source"] for row in show.rows(load_with_sources(file))}
    assert sources["clients.hvd.authoriser"].endswith("config.toml:6")
    assert any(source.endswith("hvd.toml:3") for source in sources.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [("rate = ", "not TOML"), ("rat = 'x'", 'Did you mean "rate"'), ("baa = 1", "must be true or false")],
)
def test_what_is_wrong_in_it_is_told_and_doubted(file: Path, text: str, says: str) -> None:
    config = loaded(file, hvd=text)
    assert says.casefold() in config.clients_dir_failures[0].casefold()
    assert "hvd.toml:1" in config.clients_dir_failures[0]
    assert says.casefold() in (config.clients["hvd"].doubt or "").casefold()
    assert config.clients["sneaky"].doubt is None


def test_a_directory_that_is_away_leaves_every_client_in_doubt(file: Path) -> None:
    (file.parent / "facts").rmdir()
    config = loaded(file)
    assert "can't be read" in config.clients_dir_failures[0]
    assert all(client.doubt for client in config.clients.values())


def test_a_calendar_that_is_named_must_be_there(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(
            file,
            '[sla.a]\ncalendar = "offce"\nresponse = { P1 = "1h on nights" }\n[calendars.office]\ntimezone = "UTC"',
        )
    said = [(problem.line, problem.sentence) for problem in caught.value.problems]
    assert [line for line, _ in said] == [2, 3]
    assert 'Did you mean "office"?' in said[0][1]
    assert "[calendars.nights]" in said[1][1]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[sla.a]\ncalendar='24x7'\nresponse={P1='soon'}", "sla.a.response", 'At "P1": can\'t be read: "soon" is'),
        ("[sla.a]\ncalendar='24x7'\nresponse={P9='1h'}", "sla.a.response", "P1 to P5"),
        ("[sla.a]\ncalendar='24x7'\npauses={wating=['plan']}", "sla.a.pauses", '"wating" is not a status class'),
        ("[sla.a]\ncalendar='24x7'\npauses={waiting=['plans']}", "sla.a.pauses", 'Did you mean "plan"?'),
        ("[sla.a]\ncalendar='24x7'\nwarn=[0]", "sla.a.warn", "from 1 to 100"),
        ("[triage]\nreplied='soon'", "triage.replied", '"4h"'),
        ("[storms]\nat_leest=3", "storms.at_leest", 'Did you mean "at_least"?'),
        ("[escalation.tiers.L5]\nmembers=[]", "escalation.tiers.L5", "one of L1, L2, L3"),
        ("[escalation.vendors.x]\ncontract='7'", "escalation.vendors.x.phone", "Missing"),
        ("[clients.a]\nfreezes=['next week']", "clients.a.freezes", "2026-12-18 to 2027-01-04"),
        ("[clients.a]\nfreezes=['2026-12-18 to 2026-12-01']", "clients.a.freezes", "before it begins"),
        ("[clients.a]\nraci={network={resposible='x'}}", "clients.a.raci", 'Did you mean "responsible"?'),
        ("[clients.a]\nraci={networks={}}", "clients.a.raci", "a service line"),
        ("[clients.a]\ncoverage='office'", "clients.a.coverage", "There is no calendar"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_rules_is_told_with_its_key(file: Path, text: str, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(file, text)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert says in problem.sentence


def test_teams_and_vendors_are_values(file: Path) -> None:
    made = loaded(
        file,
        "[escalation]\nat_percent=60\n[escalation.tiers.L2]\nmembers=['Priya']\nphones={Priya='+1'}\n"
        "[escalation.vendors.fortinet]\nphone='+1 2'\nqueues={desk='Vendor'}\n",
    ).escalation
    assert made.at_percent == 60
    assert made.tiers == {"L2": Team(("Priya",), {"Priya": "+1"})}
    assert made.vendors == {"fortinet": Vendor("fortinet", "+1 2", queues={"desk": "Vendor"})}
