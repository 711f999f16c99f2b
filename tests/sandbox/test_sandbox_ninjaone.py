"""The sandbox's NinjaOne is as strict as the real one, and has its traps."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mspterm.sandbox import incidents
from mspterm.sandbox.app import Options
from tests.sandbox.bench import BEGAN, Bench

SERVER, WORKSTATION, FIREWALL = 1001, 1004, 1003


def failed(answer: httpx.Response) -> tuple[int, str]:
    """The status and the envelope's code of a failure."""
    body = answer.json()
    assert body.keys() >= {"resultCode", "errorMessage", "incidentId"}
    return answer.status_code, body["resultCode"]


async def test_without_a_token_it_is_401(bench: Bench) -> None:
    async with bench.ninjaone() as client:
        refused = await client.get("/v2/devices")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")


async def test_a_token_lives_an_hour(bench: Bench, rmm: httpx.AsyncClient) -> None:
    bench.hand.move(3599)
    assert (await rmm.get("/v2/organizations")).status_code == 200
    bench.hand.move(1)
    assert (await rmm.get("/v2/organizations")).status_code == 401


async def test_the_refresh_token_stays_here(bench: Bench) -> None:
    auth = bench.sandbox.ninjaone.auth
    form = {"grant_type": "refresh_token", "client_id": auth.client_id, "refresh_token": auth.refresh_token}
    async with bench.ninjaone() as client:
        first = (await client.post("/ws/oauth/token", data=form)).json()
        second = (await client.post("/ws/oauth/token", data=form)).json()
    assert first["refresh_token"] == second["refresh_token"] == auth.refresh_token
    assert first["access_token"] != second["access_token"]
    assert first["expires_in"] == 3600


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "old"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "who"}, 401, "invalid_client"),
    ],
)
async def test_a_wrong_grant_is_refused(bench: Bench, form: dict[str, str], status: int, error: str) -> None:
    async with bench.ninjaone() as client:
        sent = {"client_id": bench.sandbox.ninjaone.auth.client_id, **form}
        refused = await client.post("/ws/oauth/token", data=sent)
    assert (refused.status_code, refused.json()["error"]) == (status, error)


async def test_a_scope_that_was_not_asked_for_is_403(bench: Bench) -> None:
    async with bench.ninjaone() as client:
        await bench.as_machine(client, "monitoring")
        refused = await client.post(f"/v2/device/{SERVER}/patch/os/scan")
    assert failed(refused) == (403, "FAILURE")


async def test_a_machine_cannot_run_scripts(bench: Bench) -> None:
    async with bench.ninjaone() as client:
        await bench.as_machine(client)
        refused = await client.post(f"/v2/device/{SERVER}/script/run", json={"type": "SCRIPT", "id": 14})
    assert (refused.status_code, refused.json()["error"]) == (403, "user_context_required")
    assert refused.json()["error_code"] == 5


async def test_the_authorization_code_needs_its_verifier(bench: Bench) -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    redirect = "http://127.0.0.1:8400"
    asked = {
        "response_type": "code",
        "client_id": bench.sandbox.ninjaone.auth.client_id,
        "redirect_uri": redirect,
        "scope": "monitoring control offline_access",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    async with bench.ninjaone() as client:

        async def redeem(verifier: str) -> httpx.Response:
            back = await client.get("/ws/oauth/authorize", params=asked)
            assert back.status_code == 302
            query = httpx.URL(back.headers["location"]).params
            assert query["state"] == "s1"
            form = {"grant_type": "authorization_code", "code": query["code"], "redirect_uri": redirect}
            form |= {"client_id": asked["client_id"], "code_verifier": verifier}
            return await client.post("/ws/oauth/token", data=form)

        assert (await redeem("w" * 43)).json()["error"] == "invalid_grant"
        assert (await redeem("v" * 43)).json()["refresh_token"]
        wrong = await client.get(
            "/ws/oauth/authorize", params={**asked, "redirect_uri": "https://evil.example"}
        )
    assert failed(wrong) == (404, "FAILURE")


async def test_without_page_size_a_list_is_cut_off_silently(rmm: httpx.AsyncClient) -> None:
    cut = await rmm.get("/v2/devices")
    whole = await rmm.get("/v2/devices", params={"pageSize": 1000})
    assert (len(cut.json()), len(whole.json())) == (25, 40)
    assert "link" not in cut.headers


async def test_after_is_the_last_id_and_a_short_page_the_end(rmm: httpx.AsyncClient) -> None:
    seen: list[int] = []
    after = 0
    while True:
        page = (await rmm.get("/v2/devices-detailed", params={"pageSize": 16, "after": after})).json()
        seen += [row["id"] for row in page]
        if len(page) < 16:
            break
        after = page[-1]["id"]
    assert len(seen) == len(set(seen)) == 40


async def test_a_query_goes_on_by_its_cursor_and_ends_with_no_rows(
    bench: Bench, rmm: httpx.AsyncClient
) -> None:
    async def ask(**asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (
            await rmm.get("/v2/queries/volumes", params={"pageSize": 7, **asked})
        ).json()
        return answer

    first = await ask()
    rows, name = first["results"], first["cursor"]["name"]
    while page := (await ask(cursor=name))["results"]:
        rows += page
    whole = (await rmm.get("/v2/queries/volumes", params={"pageSize": 1000})).json()["results"]
    assert [(r["deviceId"], r["name"]) for r in rows] == [(r["deviceId"], r["name"]) for r in whole]
    assert first["cursor"]["count"] == 7
    bench.hand.move(901)
    expired = await rmm.get("/v2/queries/volumes", params={"cursor": name})
    assert failed(expired) == (400, "FAILURE")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("org=21", lambda row: row["organizationId"] == 21),
        (
            "class in (WINDOWS_SERVER, MAC) AND online",
            lambda row: row["nodeClass"] in ("WINDOWS_SERVER", "MAC"),
        ),
        ("class nin (WINDOWS_SERVER)", lambda row: row["nodeClass"] != "WINDOWS_SERVER"),
        ("id != 1001", lambda row: row["id"] != 1001),
        ("status = APPROVED", lambda row: True),
    ],
)
async def test_device_filter(rmm: httpx.AsyncClient, text: str, wanted: Any) -> None:
    rows = (await rmm.get("/v2/devices", params={"df": text, "pageSize": 1000})).json()
    every = (await rmm.get("/v2/devices", params={"pageSize": 1000})).json()
    assert [row["id"] for row in rows] == [
        row["id"] for row in every if wanted(row) and ("online" not in text or not row["offline"])
    ]
    assert rows


@pytest.mark.parametrize("text", ["name = X", "online = yes", "created before May", "org", "org after 3"])
async def test_a_device_filter_out_of_syntax_is_400(rmm: httpx.AsyncClient, text: str) -> None:
    assert failed(await rmm.get("/v2/devices", params={"df": text})) == (400, "FAILURE")


async def test_unknown_things_are_404_in_the_envelope(rmm: httpx.AsyncClient) -> None:
    for path in ("/v2/device/1", "/v2/device/1/alerts", "/v2/nothing", "/v2/organization/1/locations"):
        assert failed(await rmm.get(path)) == (404, "FAILURE")


async def test_times_are_epoch_seconds(rmm: httpx.AsyncClient) -> None:
    row = (await rmm.get(f"/v2/device/{SERVER}")).json()
    assert row["lastContact"] == BEGAN.timestamp()
    assert row["os"]["lastBootTime"] < BEGAN.timestamp()


@pytest.mark.parametrize(
    "body",
    [
        {"type": "SCRIPT", "scriptId": 14},
        {"type": "SCRIPT", "id": 14, "runAs": "SYSTEM"},
        {"id": 14},
        {"type": "SCRIPT", "id": 9999},
        {"type": "SCRIPT", "id": 21},
    ],
)
async def test_a_script_run_that_is_wrong_is_400(
    bench: Bench, rmm: httpx.AsyncClient, body: dict[str, object]
) -> None:
    refused = await rmm.post(f"/v2/device/{SERVER}/script/run", json=body)
    assert failed(refused) == (400, "FAILURE")
    assert bench.world.jobs == {}


async def test_a_scripts_result_is_found_in_the_activities_after_a_while(
    bench: Bench, rmm: httpx.AsyncClient
) -> None:
    ran = await rmm.post(
        f"/v2/device/{SERVER}/script/run", json={"type": "SCRIPT", "id": 16, "parameters": "hostname"}
    )
    uid = ran.json()["jobUid"]

    async def codes() -> list[str]:
        page = (await rmm.get(f"/v2/device/{SERVER}/activities", params={"seriesUid": uid})).json()
        return [row["statusCode"] for row in page["activities"]]

    assert await codes() == ["START_REQUESTED"]
    assert [job["uid"] for job in (await rmm.get(f"/v2/device/{SERVER}/jobs")).json()] == [uid]
    bench.hand.move(60)
    assert await codes() == ["COMPLETED", "STARTED", "START_REQUESTED"]
    page = (await rmm.get(f"/v2/device/{SERVER}/activities", params={"pageSize": 10})).json()
    assert page["activities"][0]["activityResult"] == "SUCCESS"
    assert page["activities"][0]["message"].endswith("\nHVD-DC01")
    assert (await rmm.get(f"/v2/device/{SERVER}/jobs")).json() == []


async def test_a_script_waits_for_a_device_that_is_offline(bench: Bench, rmm: httpx.AsyncClient) -> None:
    bench.world.edit_device(SERVER).offline = True
    await rmm.post(f"/v2/device/{SERVER}/script/run", json={"type": "SCRIPT", "id": 14})
    bench.run(120)
    assert len(bench.world.jobs) == 1
    bench.world.edit_device(SERVER).offline = False
    bench.run(60)
    assert bench.world.jobs == {}


async def test_newer_than_gives_ids_above_it_newest_first(bench: Bench, rmm: httpx.AsyncClient) -> None:
    last = (await rmm.get("/v2/activities", params={"pageSize": 10})).json()["lastActivityId"]
    await rmm.post(f"/v2/device/{SERVER}/script/run", json={"type": "SCRIPT", "id": 14})
    bench.hand.move(60)
    page = (await rmm.get("/v2/activities", params={"newerThan": last})).json()
    assert [row["id"] for row in page["activities"]] == [last + 3, last + 2, last + 1]
    assert page["lastActivityId"] == last + 3
    for size in ("9", "1001"):
        assert (await rmm.get("/v2/activities", params={"pageSize": size})).status_code == 400


async def test_a_reboot_takes_the_agent_down_and_up(bench: Bench, rmm: httpx.AsyncClient) -> None:
    bench.world.edit_device(SERVER).reboot_reason = "Windows Update"
    before = (await rmm.get(f"/v2/device/{SERVER}")).json()
    assert before["os"]["needsReboot"] is True
    answer = await rmm.post(f"/v2/device/{SERVER}/reboot/NORMAL", json={"reason": "patches"})
    assert answer.status_code == 204
    bench.hand.move(10)
    assert (await rmm.get(f"/v2/device/{SERVER}")).json()["offline"] is True
    bench.hand.move(120)
    after = (await rmm.get(f"/v2/device/{SERVER}")).json()
    assert (after["offline"], after["os"]["needsReboot"]) == (False, False)
    assert after["os"]["lastBootTime"] > BEGAN.timestamp()


async def test_what_cannot_be_rebooted_is_refused(rmm: httpx.AsyncClient) -> None:
    assert failed(await rmm.post(f"/v2/device/{FIREWALL}/reboot/NORMAL", json={})) == (400, "FAILURE")
    assert failed(await rmm.post(f"/v2/device/{SERVER}/reboot/SOON", json={})) == (404, "FAILURE")


@pytest.mark.parametrize("scale", ["seconds", "milliseconds", "iso"])
async def test_maintenance_begins_and_ends_by_itself(
    bench: Bench, rmm: httpx.AsyncClient, scale: str
) -> None:
    end = BEGAN + timedelta(hours=1)
    told: dict[str, Any] = {"seconds": end.timestamp(), "milliseconds": end.timestamp() * 1000}
    body = {
        "disabledFeatures": ["ALERTS"],
        "end": told.get(scale, end.isoformat()),
        "reasonMessage": "patching",
    }
    assert (await rmm.put(f"/v2/device/{SERVER}/maintenance", json=body)).status_code == 204
    window = (await rmm.get(f"/v2/device/{SERVER}")).json()["maintenance"]
    assert (window["status"], window["end"], window["reasonMessage"]) == (
        "IN_MAINTENANCE",
        end.timestamp(),
        "patching",
    )
    bench.hand.move(3600)
    await bench.as_technician(rmm)
    assert "maintenance" not in (await rmm.get(f"/v2/device/{SERVER}")).json()


async def test_maintenance_is_cancelled(rmm: httpx.AsyncClient) -> None:
    body = {"end": (BEGAN + timedelta(hours=1)).timestamp()}
    assert (await rmm.put(f"/v2/device/{SERVER}/maintenance", json=body)).status_code == 204
    assert (await rmm.delete(f"/v2/device/{SERVER}/maintenance")).status_code == 204
    assert "maintenance" not in (await rmm.get(f"/v2/device/{SERVER}")).json()


@pytest.mark.parametrize(
    "body",
    [{}, {"end": "soon"}, {"end": 1}, {"end": 9e9, "disabledFeatures": ["SOUND"]}, {"until": 9e9}],
)
async def test_maintenance_that_is_wrong_is_400(rmm: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert failed(await rmm.put(f"/v2/device/{SERVER}/maintenance", json=body)) == (400, "FAILURE")


async def test_a_service_is_started_and_its_alert_clears(bench: Bench, rmm: httpx.AsyncClient) -> None:
    device = bench.world.edit_device(1017)
    incidents.service_hangs(bench.sandbox.life, BEGAN, device)
    assert (await rmm.get("/v2/device/1017/windows-services", params={"state": "STOPPED"})).json()
    assert len((await rmm.get("/v2/device/1017/alerts")).json()) == 1
    path = "/v2/device/1017/windows-service/OakMes/control"
    assert (await rmm.post(path, json={"action": "RESTART"})).status_code == 204
    bench.hand.move(10)
    assert (await rmm.get("/v2/device/1017/alerts")).json() == []
    assert (await rmm.get("/v2/device/1017/windows-services", params={"state": "STOPPED"})).json() == []
    assert failed(await rmm.post(path, json={"action": "Restart"})) == (400, "FAILURE")
    assert failed(await rmm.post(path.replace("OakMes", "None"), json={"action": "START"})) == (
        404,
        "FAILURE",
    )


async def test_a_reset_alert_comes_back_while_its_condition_lasts(
    bench: Bench, rmm: httpx.AsyncClient
) -> None:
    alerts = (await rmm.get("/v2/alerts")).json()
    disk = next(alert for alert in alerts if alert["sourceType"] == "CONDITION_AGENT_DISK_FREE_SPACE")
    assert (await rmm.delete(f"/v2/alert/{disk['uid']}")).status_code == 204
    assert failed(await rmm.post(f"/v2/alert/{disk['uid']}/reset", json={})) == (404, "FAILURE")
    now = (await rmm.get("/v2/alerts")).json()
    assert disk["uid"] not in {alert["uid"] for alert in now}
    bench.hand.move(150)
    again = (await rmm.get("/v2/alerts")).json()
    assert [a["message"] for a in again if a["deviceId"] == disk["deviceId"]].count(disk["message"]) == 1


async def test_the_machine_is_no_system_administrator(rmm: httpx.AsyncClient) -> None:
    assert failed(await rmm.put("/v2/webhook", json={"url": "https://x.example"})) == (403, "FAILURE")


async def test_health_counts_what_the_lists_hold(bench: Bench, rmm: httpx.AsyncClient) -> None:
    rows = (await rmm.get("/v2/queries/device-health", params={"pageSize": 1000})).json()["results"]
    alerts = (await rmm.get("/v2/alerts")).json()
    assert sum(row["alertCount"] for row in rows) == len(alerts) > 0
    for row in rows:
        patches = (await rmm.get(f"/v2/device/{row['deviceId']}/os-patches")).json()
        pending = sum(patch["status"] == "PENDING" for patch in patches)
        assert row["pendingOSPatchesCount"] == pending


async def test_down_once_is_503_once(bench: Bench, rmm: httpx.AsyncClient) -> None:
    bench.sandbox.life.faults.broken["ninjaone"] = 1
    statuses = [(await rmm.get("/v2/organizations")).status_code for _ in range(2)]
    assert statuses == [503, 200]


async def test_only_the_devices_asked_for_are_made() -> None:
    bench = Bench(Options(still=True, devices=20_000))
    async with bench.ninjaone() as client:
        await bench.as_technician(client)
        made = bench.world.rows_made
        page = (await client.get("/v2/devices", params={"pageSize": 50, "after": 15_000})).json()
    assert [row["id"] for row in page] == list(range(15_001, 15_051))
    assert bench.world.rows_made - made <= 52
