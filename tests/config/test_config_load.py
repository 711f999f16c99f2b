"""The config file: what it may say, and what is said of it when it is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mspterm.config import example, paths, show
from mspterm.config.kinds import KINDS
from mspterm.config.lines import key_lines
from mspterm.config.load import ConfigError, Problem, load, load_with_sources
from mspterm.config.model import Config, Escalation, Guard
from mspterm.config.schema import schema
from mspterm.config.table import CONNECTION, TABLES, TOP

ROOT = Path(__file__).resolve().parents[2]
RT = '[connections.desk]\nkind = "rt"\nurl = "https://rt.example.org"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def problems(file: Path, text: str) -> tuple[Problem, ...]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value.problems


def only(file: Path, text: str) -> Problem:
    found = problems(file, text)
    assert len(found) == 1, found
    return found[0]


def test_no_file_at_the_usual_place_is_a_config_without_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MSPTERM_CONFIG", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    loaded = load()
    assert loaded.source is None
    tiers = {"L1 P1": "30m", "L1 P2": "1h", "L1": "1d", "L2 P1": "2h", "L2 P2": "1d"}
    usual = Escalation({"P1": "10m", "P2": "30m"}, 75, {}, tiers, ("what", "tried"))
    words = ("password", "MFA", "2FA", "authenticator", "locked out", "unlock")
    more = ("access request", "access change", "leaver", "new starter")
    raw: dict[str, object] = {"calendars": {}, "sla": {}, "triage": {}, "storms": {}}
    raw["ssh"] = {"clients": {}, "devices": {}}
    assert loaded == Config(escalation=usual, guard=Guard(verify_first=words + more), raw=raw)


def test_a_file_that_was_named_must_exist(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(file)
    monkeypatch.setenv("MSPTERM_CONFIG", str(file))
    with pytest.raises(ConfigError, match="no such file"):
        load()


def test_a_whole_connection(file: Path) -> None:
    file.write_text(
        '[connections.desk]\nkind = "rt"\nurl = "https://rt.example.org/"\nca_bundle = "ca.pem"\nme = "ines"\n'
        'client_cert = "~/c.pem"\npoll_s = 5\ntimeout_s = 7\nclient_from = "cf:Client"\nqueues = ["Help Desk"]\n'
        'proxy = "http://proxy:3128"\n[connections.desk.priorities]\nHigh = 2\n'
        '[connections.desk.tiers]\n"Tier 2" = "L2"\n'
    )
    desk = load(file).connections["desk"]
    assert (desk.kind, desk.url, desk.me, desk.proxy) == (
        "rt",
        "https://rt.example.org",
        "ines",
        "http://proxy:3128",
    )
    assert (desk.ca_bundle, desk.client_cert) == (file.parent / "ca.pem", Path.home() / "c.pem")
    assert (desk.poll_s, desk.timeout_s, desk.queues) == (5.0, 7.0, ("Help Desk",))
    assert (desk.priorities, desk.tiers, desk.identity) == ({"High": 2}, {"Tier 2": "L2"}, "personal")


def test_settings_of_a_kind_are_apart(file: Path) -> None:
    file.write_text(
        '[connections.n]\nkind="ninjaone"\nurl="https://n.example"\nclient_id="x"\nredirect_port=8400\n'
    )
    assert load(file).connections["n"].settings == {"client_id": "x", "redirect_port": "8400"}


def test_autotask_finds_its_zone_without_an_address(file: Path) -> None:
    file.write_text('[connections.a]\nkind="autotask"\nusername="api@x.example"\n')
    assert load(file).connections["a"].url == ""


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        (RT + "pol_s = 5", 4, "connections.desk.pol_s", 'Did you mean "poll_s"?'),
        (RT + '"poll s" = 5', 4, 'connections.desk."poll s"', 'Did you mean "poll_s"?'),
        (RT + 'company = "x"', 4, "connections.desk.company", "rt has no such key (connectwise has)."),
        (RT + "[conections.x]\n", 4, "conections", 'Did you mean "connections"?'),
        ("\n\n[technician]\nnmae = 'x'", 4, "technician.nmae", 'Did you mean "name"?'),
        (RT + "timeout_s = 0", 4, "connections.desk.timeout_s", "from 1 to 300, not 0"),
        (RT + "timeout_s = nan", 4, "connections.desk.timeout_s", "from 1 to 300"),
        (RT + "timeout_s = true", 4, "connections.desk.timeout_s", "not true or false"),
        (RT + "enabled = 1", 4, "connections.desk.enabled", "true or false, not a number"),
        (RT + 'identity = "shred"', 4, "connections.desk.identity", 'Did you mean "shared"?'),
        (RT + 'queues = "Help"', 4, "connections.desk.queues", "a list of texts"),
        (RT + 'me = ""', 4, "connections.desk.me", "leave the key out"),
        (RT + 'me = "a\\u001bb"', 4, "connections.desk.me", "control"),
        (
            RT + "priorities = {High = 9}",
            4,
            "connections.desk.priorities",
            'At "High": must be from 1 to 5, not 9',
        ),
        (RT + "[connections.desk.tiers]\nX = 'L4'", 4, "connections.desk.tiers", "L1, L2, L3 or vendor"),
        (RT + 'client_key = "k.pem"', 4, "connections.desk.client_key", "needs its client_cert"),
        ('[connections.desk]\nkind = "rt"', 1, "connections.desk.url", "Missing: address of the server."),
        ('[connections.desk]\nurl = "https://x"', 1, "connections.desk.kind", "needs a kind"),
        ('[connections.desk]\nkind = "zamad"', 2, "connections.desk.kind", 'Did you mean "zammad"?'),
        (RT.replace("desk", "Desk"), 1, "connections.Desk", "lower-case"),
        (RT.replace("desk", "journal"), 1, "connections.journal", "taken"),
        ("connections = 3", 1, "connections", "Must be a table, as [connections]."),
        ("[views.p1]\ntitle = 'x'", 1, "views.p1.filter", "Missing"),
        ("[guard]\nflags = {X = ['dc']}", 2, "guard.flags", "domain-controller"),
        ("[calendars.a]\ntimezone = 'Mars/X'", 2, "calendars.a.timezone", "no time zone"),
        ("[calendars.a]\ntimezone='Etc/UTC'\nweekly={mo=[]}", 3, "calendars.a.weekly", '"mo" is no weekday'),
        (
            "[calendars.a]\ntimezone='Etc/UTC'\nweekly={mon=[['9:00','17:00']]}",
            3,
            "calendars.a.weekly",
            "wall times",
        ),
        (
            "[calendars.a]\ntimezone='Etc/UTC'\nweekly={mon=[['22:00','06:00']]}",
            3,
            "calendars.a.weekly",
            "two spans",
        ),
        ("[calendars.a]\ntimezone='Etc/UTC'\nholidays=['2026-02-30']", 3, "calendars.a.holidays", "no date"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_key(
    file: Path, text: str, line: int, key: str, says: str
) -> None:
    problem = only(file, text)
    assert (problem.file, problem.line, problem.key) == (file, line, key)
    assert says in problem.sentence
    assert str(problem).startswith(f"{file}:{line}: {key}: ")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ('url = "https://ines:CANARY@rt.example.org"', "user name or password"),
        ('url = "https://CANARY@rt.example.org"', "user name or password"),
        ('url = "https://rt.example.org/?token=CANARY"', "before any ?"),
        ('url = "https://rt.example.org/#CANARY"', "before any ?"),
        ('url = "http://rt.example.org"', "in clear to rt.example.org"),
        ('url = "http://127.evil.example"', "in clear"),
        ('url = "ftp://rt.example.org"', "must start with https://"),
        ('url = "rt.example.org"', "must start with https://"),
        ('url = "https://"', "names no host"),
        ('url = "https://rt.example.org:CANARY"', "is no address"),
        ('url = "https://[CANARY"', "is no address"),
        ('url = "https://rt.example.org"\nproxy = "http://ines:CANARY@proxy:3128"', "user name or password"),
        ('url = "https://rt.example.org"\nproxy = "socks5://proxy:1080"', "http://HOST:PORT"),
        ('url = "https://rt.example.org"\ntoken = "CANARY"', "A secret has no place in this file"),
        ('url = "https://rt.example.org"\npassword = "CANARY"', "A secret has no place in this file"),
    ],
)
def test_addresses_hold_no_credentials_and_send_none_in_clear(file: Path, setting: str, says: str) -> None:
    problem = only(file, f'[connections.desk]\nkind = "rt"\n{setting}\n')
    assert says.lower() in problem.sentence.lower()
    assert "CANARY" not in str(problem)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:18082", "http://localhost", "http://[::1]:8080", "https://x.example"]
)
def test_this_machine_may_be_asked_in_clear(file: Path, url: str) -> None:
    file.write_text(f'[connections.desk]\nkind = "rt"\nurl = "{url}"\n')
    assert load(file).connections["desk"].url == url


def test_meshcentral_may_be_wss(file: Path) -> None:
    file.write_text('[connections.m]\nkind="meshcentral"\nurl="wss://m.example:4430"\nusername="u"\n')
    assert load(file).connections["m"].url == "wss://m.example:4430"


def test_all_problems_are_told_at_once_in_the_order_of_lines(file: Path) -> None:
    text = RT + "pol_s = 1\nme = 3\n[view.x]\n[connections.b]\nkind = 'x'\n[connections.c]\nkind = 'rt'\n"
    found = problems(file, text)
    assert [p.line for p in found] == [4, 5, 6, 8, 9]
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 5


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[a]\nb = "x\n', 2, "in column"),
        ("[a]\nb = \n", 2, "in column"),
        ("a = 1\na = 2\n", 2, "twice|overwrite"),
        ("[a]\nb = [1,\n", 3, "This is not TOML"),
    ],
)
def test_broken_toml_is_told_with_its_place(file: Path, text: str, line: int, says: str) -> None:
    problem = only(file, text)
    assert problem.line == line
    assert any(word in problem.sentence for word in says.split("|"))


def test_what_is_no_text_file_is_told(file: Path) -> None:
    file.write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(file)
    with pytest.raises(ConfigError, match="can't be read"):
        load(file.parent)


def test_secrets_that_would_share_a_variable_are_told(file: Path) -> None:
    text = (
        '[connections.acme]\nkind="connectwise"\nurl="https://a.example"\ncompany="a"\nclient_id="c"\n'
        '[connections.acme_private]\nkind="itflow"\nurl="https://b.example"\n'
    )
    file.write_text(text)
    assert set(load(file).connections) == {"acme", "acme_private"}
    clash = (
        '[connections.x]\nkind="datto_rmm"\nurl="https://a.example"\n'
        '[connections.x_api]\nkind="autotask"\nusername="u"\n'
    )
    problem = only(file, clash)
    assert problem.key == "connections.x_api"
    assert "MSPTERM_SECRET_X_API_SECRET" in problem.sentence


def test_dates_may_be_tomls_own_and_raw_tables_are_kept(file: Path) -> None:
    file.write_text(
        "clients_dir = 'facts'\n[calendars.a]\ntimezone='Etc/UTC'\nholidays=[2026-12-25]\n"
        "breaks={2026-12-24=[['12:00','24:00']]}\n[sla.gold]\ncalendar='a'\nresponse={P1='15m'}\n[ssh]\nuser='ops'\n"
        "[journal]\nhead_file='head'\n[clients.hvd]\nmatch=['HVD']\n[views.on_call]\nfilter='p:1'\n[keys]\nclaim='c'\n"
    )
    config = load(file)
    assert config.raw["calendars"]["a"]["holidays"] == ("2026-12-25",)
    assert config.raw["calendars"]["a"]["breaks"] == {"2026-12-24": (("12:00", "24:00"),)}
    assert config.raw["sla"]["gold"]["response"] == {"P1": "15m"}
    assert config.raw["ssh"] == {"user": "ops", "clients": {}, "devices": {}}
    assert (config.clients_dir, config.journal_head_file) == (file.parent / "facts", file.parent / "head")
    assert (config.clients["hvd"].match, config.keys) == (("HVD",), {"claim": "c"})
    assert [(v.name, v.title, v.filter) for v in config.views] == [("on_call", "On call", "p:1")]


def test_the_shared_calendars_have_the_shape(shared: Path, file: Path) -> None:
    import json

    cases = json.loads((shared / "sla_cases.json").read_text())["cases"]
    calendars = {f"c{n}": case["calendar"] for n, case in enumerate(cases) if case.get("calendar")}
    tables = (
        f"[calendars.{name}]\n" + "".join(f"{key} = {example.toml(value)}\n" for key, value in held.items())
        for name, held in calendars.items()
    )
    file.write_text("".join(tables))
    assert len(load(file).raw["calendars"]) == len(calendars) > 50


def test_show_says_where_each_value_comes_from(file: Path) -> None:
    file.write_text(RT + "poll_s = 9\n")
    loaded = load_with_sources(file)
    rows = {row["key"]: (row["value"], row["source"]) for row in show.rows(loaded)}
    assert rows["connections.desk.poll_s"] == (9.0, f"{file}:4")
    assert rows["connections.desk.timeout_s"] == (20.0, "default")
    assert rows["guard.max_devices"] == (5, "default")
    assert "connections.desk.poll_s = 9.0" in show.text(loaded)


def test_the_example_is_what_the_table_renders() -> None:
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example.render()


def test_the_example_loads_with_every_connection_off() -> None:
    config = load(ROOT / "config.example.toml")
    assert {connection.kind for connection in config.connections.values()} == set(KINDS)
    assert not any(connection.enabled for connection in config.connections.values())
    assert (config.views, config.clients) == ((), {})


def test_the_example_shows_every_key_and_loads_with_all_of_them(file: Path) -> None:
    lines = example.render().splitlines()
    file.write_text(
        "\n".join(
            line[1:] if line.startswith("#") and line[1:2] not in (" ", ":") else line for line in lines
        )
    )
    config = load(file)
    assert config.connections["desk"].priorities
    assert (config.views[0].name, config.raw["calendars"]["office"]["timezone"]) == ("p1", "America/New_York")
    keys = {key for path in key_lines(file.read_text()) for key in path}
    everywhere = [*TOP, *CONNECTION, *(key for table in TABLES for key in table.keys)]
    assert {key.name for key in everywhere} <= keys
    assert {key.name for kind in KINDS.values() for key in kind.settings} <= keys


def test_the_schema_names_every_kind_and_table() -> None:
    made = schema()
    kinds = [
        one["properties"]["kind"]["const"]
        for one in made["properties"]["connections"]["additionalProperties"]["oneOf"]
    ]
    assert kinds == list(KINDS)
    assert set(made["properties"]) == {"connections", *(t.name for t in TABLES), *(key.name for key in TOP)}
    rt = made["properties"]["connections"]["additionalProperties"]["oneOf"][kinds.index("rt")]
    assert rt["required"] == ["kind", "url"]
    assert rt["properties"]["timeout_s"] == {
        "description": "Longest wait for one answer, in seconds",
        "type": "number",
        "minimum": 1,
        "maximum": 300,
        "default": 20.0,
    }


def test_lines_are_found_through_strings_arrays_and_comments() -> None:
    text = (
        '# a = 1\na = """\nb = 2\n"""\n[t."x y"]  # [u]\nlist = [ # ]\n  "]",\n  \'[z]\',\n]\n'
        "inline = { k = 1, s = '}' }\nd.e = 1\nlast = '''\n[no]\n'''\n[[arr]]\nn = 1\n"
    )
    tomllib.loads(text)
    assert key_lines(text) == {
        ("a",): 2,
        ("t",): 5,
        ("t", "x y"): 5,
        ("t", "x y", "list"): 6,
        ("t", "x y", "inline"): 10,
        ("t", "x y", "d"): 11,
        ("t", "x y", "d", "e"): 11,
        ("t", "x y", "last"): 12,
        ("arr",): 15,
        ("arr", "n"): 16,
    }


toml_values = st.recursive(
    st.booleans()
    | st.integers(-99, 99)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab #[]='\".", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc #[]='.", min_size=1, max_size=5), toml_values, min_size=1, max_size=6))
def test_every_key_is_found_in_its_line(document: dict[str, object]) -> None:
    from mspterm.config.lines import dotted

    text = "".join(
        f"# c = [\n\n{dotted((key,))} = {example.toml(value)}\n" for key, value in document.items()
    )
    assert set(tomllib.loads(text)) == set(document)
    assert key_lines(text) == {(key,): 3 * at + 3 for at, key in enumerate(document)}


def test_paths_are_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert paths.place("config", {}, "linux") == tmp_path / ".config/mspterm"
    assert paths.place("state", {"XDG_STATE_HOME": str(tmp_path / "s")}, "linux") == tmp_path / "s/mspterm"
    assert paths.place("state", {"XDG_STATE_HOME": "relative"}, "linux") == tmp_path / ".local/state/mspterm"
    assert paths.place("state", {}, "darwin") == tmp_path / "Library/Application Support/mspterm/state"
    assert paths.place("cache", {}, "darwin") == tmp_path / "Library/Caches/mspterm/cache"
    assert paths.place("config", {"APPDATA": str(tmp_path / "r")}, "win32") == tmp_path / "r/mspterm/config"
    assert paths.place("state", {}, "win32") == tmp_path / "AppData/Local/mspterm/state"


def test_the_option_wins_over_the_environment_for_both_places(tmp_path: Path) -> None:
    env = {"MSPTERM_CONFIG": "/e/c.toml", "MSPTERM_STATE_DIR": "/e/state"}
    assert paths.config_file(tmp_path, env) == paths.state_dir(tmp_path, env) == tmp_path
    assert (paths.config_file(None, env), paths.state_dir(None, env)) == (Path("/e/c.toml"), Path("/e/state"))


def test_a_new_directory_is_private_and_an_old_one_left_alone(tmp_path: Path) -> None:
    assert paths.private_dir(tmp_path / "a" / "b").stat().st_mode & 0o077 == 0
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    mode = old.stat().st_mode
    assert paths.private_dir(old).stat().st_mode == mode
