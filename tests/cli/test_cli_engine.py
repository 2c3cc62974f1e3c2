"""Commands that a running engine answers."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from command import Shell
from small_engine import Site

from nvr_bridge.client import pair
from nvr_bridge.protocol import Role


async def test_the_status_is_a_snapshot(shell: Shell, site: Site) -> None:
    assert (await shell("status", "--json")).json == site.engine.snapshot()
    shown = await shell("status")
    assert shown.code == 0
    for word in ("Riverside sales office", "profile demo", "front", "online", "Entrance", "observe_only"):
        assert word in shown.out


async def test_the_status_says_what_there_is_to_do(shell: Shell, site: Site) -> None:
    shown = (await shell("status")).out
    assert "Recognition is not armed anywhere: assessment_missing, sign_unknown" in shown
    assert "2 visitors agreed to another notice: ask them again" in shown
    assert "Next purge: 2026-03-02T10:00:00.000+00:00" in shown
    assert "overdue" not in shown


async def test_the_site_is_named_by_option_by_environment_or_by_where_one_is(shell: Shell, site: Site) -> None:
    named = str(shell.folder / "bridge.yaml")
    shell.folder = Path("/")
    assert "bridge.yaml: no such file; name the site's bridge.yaml with --config" in (await shell("status")).complaint
    assert (await shell("status", "--config", named)).code == 0
    assert (await shell("status", NVR_BRIDGE_CONFIG=named)).code == 0


async def test_a_code_is_made_and_pairs(shell: Shell, site: Site) -> None:
    made = (await shell("pair", "--role", "viewer", "--name", "Screen", "--json")).json
    assert made["role"] == "viewer"
    paired = await pair(site.url, made["code"], "")
    listed = (await shell("tokens", "list", "--json")).json
    assert [(token["token_id"], token["name"], token["role"]) for token in listed] == [
        (paired.token_id, "Screen", "viewer")
    ]
    assert paired.token_id in (await shell("tokens", "list")).out
    assert (await shell("tokens", "revoke", paired.token_id)).code == 0
    assert (await shell("tokens", "list", "--json")).json == []
    assert "does not exist" in (await shell("tokens", "revoke", paired.token_id)).complaint


async def test_the_code_for_a_person_is_easy_to_read(shell: Shell, site: Site) -> None:
    ran = await shell("pair")
    code = ran.out.split(":")[1].split("  ")[0].strip()
    assert [len(part) for part in code.split(" ")] == [4, 4]
    assert (await pair(site.url, code, "Home Assistant")).role == "hub"


async def test_a_consent_is_granted_with_a_photo_and_withdrawn(shell: Shell, site: Site) -> None:
    photo = shell.folder / "mei.jpg"
    photo.write_bytes(b"\xff\xd8 not really")
    ran = await shell(
        *("consent", "grant", "--zone", "lane", "--purpose", "introductions", "--language", "zh-Hans"),
        *("--days", "30", "--photo", str(photo), "--guardian", "--json"),
    )
    assert ran.json["alias"] == "Amber Finch 12"
    assert site.engine.asked[-1] == (
        "consent_grant",
        {
            "zone": "lane",
            "purpose": "introductions",
            "language": "zh-Hans",
            "expires_in_days": 30.0,
            "guardian": True,
            "channel": "desk",
            "notice_hash": site.engine.config.notice_hash,
            "photo": base64.b64encode(photo.read_bytes()).decode(),
        },
    )
    assert (await shell("consent", "withdraw", "Amber Finch 12", "--json")).json["withdrawn"]
    assert site.engine.asked[-1] == ("consent_withdraw", {"alias": "Amber Finch 12"})
    assert "No consents" in (await shell("consent", "list")).out


async def test_a_consent_is_renewed_under_its_alias_for_some_zones(shell: Shell, site: Site) -> None:
    terms = ("--zone", "lane", "--purpose", "introductions", "--language", "en", "--days", "30")
    ran = await shell("consent", "renew", "Amber Finch 12", *terms, "--recognise-in", "lane", "--recognise-in", "desk")
    assert ran.out == "Alias: Amber Finch 12  (until 2031-01-01T00:00:00+00:00)\n"
    assert site.engine.asked[-1] == (
        "consent_renew",
        {
            "alias": "Amber Finch 12",
            "zone": "lane",
            "purpose": "introductions",
            "language": "en",
            "expires_in_days": 30.0,
            "guardian": False,
            "zones": ["lane", "desk"],
            "channel": "desk",
            "notice_hash": site.engine.config.notice_hash,
        },
    )
    await shell("consent", "grant", *terms, "--alias", "Amber Finch 12")
    assert site.engine.asked[-1][1]["alias"] == "Amber Finch 12"


async def test_assessments_are_listed(shell: Shell, site: Site) -> None:
    assert (await shell("assessment", "list", "--json")).json[0]["in_force"] is True
    shown = (await shell("assessment", "list")).out
    assert [word for word in ("R. Tan", "consent, PIPL 13(1)", "demo", "yes") if word not in shown] == []


async def test_what_the_engine_refuses_is_one_line(shell: Shell, site: Site) -> None:
    ran = await shell("consent", "grant", "--zone", "lane", "--purpose", "p", "--language", "en")
    assert "give exactly one of expires_at and expires_in_days" in ran.complaint
    missing = await shell(
        "consent", "grant", "--zone", "z", "--purpose", "p", "--language", "en", "--days", "1", "--photo", "none.jpg"
    )
    assert "--photo: none.jpg cannot be read" in missing.complaint


async def test_visits_and_sightings_are_asked_with_their_limits(shell: Shell, site: Site) -> None:
    assert (await shell("visits", "list", "--zone", "lane", "--since", "2026-03-02T09:00:00Z", "--json")).json == []
    assert site.engine.asked[-2] == ("visit_list", {"zone": "lane", "since": 1772442000.0, "limit": 1000})
    assert (await shell("sightings", "list", "--limit", "5", "--json")).json == []
    assert site.engine.asked[-1] == ("sighting_list", {"limit": 5})
    assert "No visits" in (await shell("visits", "list")).out
    assert "'yesterday' is not a time" in (await shell("visits", "list", "--since", "yesterday")).complaint


@pytest.mark.parametrize("way", ["environment", "stdin"])
async def test_a_camera_is_added_with_a_password_that_no_process_list_shows(shell: Shell, site: Site, way: str) -> None:
    add = ("cameras", "add", "192.0.2.7:80", "--zone", "lane", "--channel", "2", "--username", "admin", "--json")
    if way == "stdin":
        ran = await shell(*add, "--password-stdin", stdin="s3cret pass\n")
    else:
        ran = await shell(*add, NVR_BRIDGE_PASSWORD="s3cret pass")
    assert ran.json[0]["id"] == "front"
    assert site.engine.asked[-1] == (
        "camera_add",
        {"address": "192.0.2.7:80", "zone": "lane", "channel": "2", "username": "admin", "password": "s3cret pass"},
    )


async def test_who_adds_a_camera_again_is_told_that_it_is_switched_off(shell: Shell, site: Site) -> None:
    add = ("cameras", "add", "192.0.2.7:80", "--zone", "lane")
    assert (await shell(*add)).out.count("\n") == 1
    site.engine.recognises = False
    assert "stays so until: nvr-bridge recognition on --camera front" in (await shell(*add)).out


async def test_cameras_are_listed_and_removed(shell: Shell, site: Site) -> None:
    assert (await shell("cameras", "list", "--json")).json == site.engine.snapshot()["cameras"]
    assert "h264 640x360 15 fps" in (await shell("cameras", "list")).out
    assert (await shell("cameras", "remove", "front", "--json")).json == {"removed": "front"}
    assert "needs a user name" in (await shell("cameras", "add", "x", "--zone", "z", "--password-stdin")).complaint


async def test_an_assessment_is_acknowledged(shell: Shell, site: Site) -> None:
    ran = await shell("assessment", "acknowledge", "--by", "R. Tan", "--ground", "consent, PIPL 13(1)")
    assert ran.code == 0
    assert site.engine.asked[-1] == ("assessment_acknowledge", {"by": "R. Tan", "ground": "consent, PIPL 13(1)"})


async def test_an_engine_that_was_stopped_is_named_with_the_remedy(shell: Shell, site: Site) -> None:
    await site.server.stop()
    complaint = (await shell("status")).complaint
    assert f":{site.server.port}: no engine answers" in complaint
    assert "nvr-bridge serve --config bridge.yaml" in complaint


async def test_another_sites_engine_on_the_port_is_not_taken_for_ours(shell: Shell, site: Site) -> None:
    (site.engine.config.data_dir / "admin.token").write_text("of another run")
    assert "another engine than that of bridge.yaml answers" in (await shell("status")).complaint


async def test_an_engine_that_nobody_started_is_named_with_the_remedy(shell: Shell) -> None:
    assert "no engine runs for bridge.yaml; start it with" in (await shell("status", "--json")).complaint


async def test_only_the_administrator_is_asked_for(shell: Shell, site: Site) -> None:
    token = (await site.engine.tokens.add("hub", Role.HUB))[1]
    (site.engine.config.data_dir / "admin.token").write_text(token)
    assert "a hub token may not do this" in (await shell("tokens", "list")).complaint
