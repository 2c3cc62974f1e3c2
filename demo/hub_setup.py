"""What a person does once in the hub: add the engine with a pairing code, bind each zone's sign and act, lay out a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from demo.hub import Helper
from demo.hub_client import HubClient
from demo.process import DemoError

DOMAIN = "nvr_bridge"
PAGE = "nvr-bridge"  # the dashboard's address; the hub wants a hyphen in it
_FLOW = "/api/config/config_entries/flow"
_OPTIONS = "/api/config/config_entries/options/flow"


@dataclass(frozen=True, slots=True)
class Entities:
    """The integration's entities by what they are, so that nothing here depends on how the hub names them."""

    engine_id: str
    by_unique_id: Mapping[str, str]

    def engine(self, key: str) -> str:
        """Such as `armed`."""
        return self._find(f"{self.engine_id}_{key}")

    def zone(self, zone_id: str, key: str) -> str:
        """Such as `visit`, `people_today`, `recognition_armed`."""
        return self._find(f"{self.engine_id}_zone_{zone_id}_{key}")

    def camera(self, camera_id: str, key: str) -> str:
        """Such as `online`."""
        return self._find(f"{self.engine_id}_camera_{camera_id}_{key}")

    def all(self) -> list[str]:
        """Every entity id."""
        return sorted(self.by_unique_id.values())

    def _find(self, unique_id: str) -> str:
        try:
            return self.by_unique_id[unique_id]
        except KeyError:
            raise DemoError(f"the hub has no entity {unique_id}; it has {', '.join(self.by_unique_id)}") from None


async def add_engine(hub: HubClient, port: int, code: str) -> str:
    """Run the integration's manual flow → the new entry's id."""
    form = await hub.post(_FLOW, {"handler": DOMAIN, "show_advanced_options": False})
    form = await _submit(hub, _FLOW, form, "user", {"host": "127.0.0.1", "port": port})
    done = await _submit(hub, _FLOW, form, "pair", {"code": code})
    if done.get("type") != "create_entry":
        raise DemoError(f"the hub did not add the engine: {_explain(done)}")
    entry_id: str = done["result"]["entry_id"]
    return entry_id


async def bind(hub: HubClient, entry_id: str, zone_id: str, sign: Helper, act: Helper | None) -> None:
    """Run the integration's options flow for one zone: which toggle is its sign, which button its act."""
    form = await hub.post(_OPTIONS, {"handler": entry_id})
    form = await _submit(hub, _OPTIONS, form, "init", {"next_step_id": "signs"})
    form = await _submit(hub, _OPTIONS, form, "signs", {"zone": zone_id})
    answer: dict[str, Any] = {"sign": sign.entity_id, "notice_confirmed": True}
    if act is not None:
        answer["act"] = act.entity_id
    done = await _submit(hub, _OPTIONS, form, "zone", answer)
    if done.get("type") != "create_entry":
        raise DemoError(f"the hub did not bind {zone_id}: {_explain(done)}")


async def entities(hub: HubClient, engine_id: str) -> Entities:
    """What the integration has made so far, and shows: some of it is there for whoever enables it."""
    rows = await hub.ask("config/entity_registry/list")
    shown = [row for row in rows if row["platform"] == DOMAIN and row["disabled_by"] is None]
    return Entities(engine_id, {row["unique_id"]: row["entity_id"] for row in shown})


async def lay_out(
    hub: HubClient,
    known: Entities,
    zones: Mapping[str, str],
    cameras: Mapping[str, str],
    helpers: Mapping[str, Iterable[Helper]],
) -> str:
    """Make the demo's page → its path. `zones` and `cameras`: names by id; `helpers`: those of each zone."""
    await hub.ask(
        "lovelace/dashboards/create",
        url_path=PAGE,
        title="NVR Bridge",
        icon="mdi:account-check-outline",
        mode="storage",
        show_in_sidebar=True,
        require_admin=False,
    )
    cards: list[dict[str, Any]] = [_zone_card(known, key, name, helpers.get(key, ())) for key, name in zones.items()]
    rows = [{"entity": known.camera(key, "online"), "name": name} for key, name in cameras.items()]
    cards.append(
        {
            "type": "entities",
            "title": "Site",
            "show_header_toggle": False,
            "entities": [
                {"entity": known.engine("armed"), "name": "Recognition armed"},
                {"entity": known.engine("cases_waiting"), "name": "Cases waiting"},
                {"type": "divider"},
                *rows,
            ],
        }
    )
    visits = [{"entity": known.zone(key, "visit"), "name": name} for key, name in zones.items()]
    cards.append(
        {"type": "logbook", "title": "Who came", "hours_to_show": 1, "entities": [v["entity"] for v in visits]}
    )
    graph = [{"entity": known.zone(key, "people_present"), "name": name} for key, name in zones.items()]
    cards.append({"type": "history-graph", "title": "People present", "hours_to_show": 0.1, "entities": graph})
    view = {"title": "Riverside sales office", "path": "site", "cards": cards}
    await hub.ask("lovelace/config/save", url_path=PAGE, config={"title": "NVR Bridge", "views": [view]})
    return f"/{PAGE}/site"


_ROWS = {
    "recognition_armed": "Recognition armed",
    "people_present": "People present",
    "people_today": "People today",
    "visits_today": "Visits today",
    "returning_today": "Returning visits today",
}

_LAST = {"event_type": "Last event", "alias": "Who", "attribution": "Attribution", "partner": "Partner"}


def _zone_card(known: Entities, zone_id: str, name: str, helpers: Iterable[Helper]) -> dict[str, Any]:
    visit = known.zone(zone_id, "visit")
    rows: list[Any] = [{"entity": known.zone(zone_id, key), "name": label} for key, label in _ROWS.items()]
    for attribute, label in _LAST.items():
        rows.append({"type": "attribute", "entity": visit, "attribute": attribute, "name": label})
    rows += [{"entity": helper.entity_id, "name": helper.name} for helper in helpers]
    return {"type": "entities", "title": name, "show_header_toggle": False, "entities": rows}


async def _submit(hub: HubClient, path: str, form: dict[str, Any], step: str, answer: dict[str, Any]) -> dict[str, Any]:
    if form.get("type") not in ("form", "menu") or form.get("step_id") != step:
        raise DemoError(f"the hub's flow is not at {step!r}: {_explain(form)}")
    result: dict[str, Any] = await hub.post(f"{path}/{form['flow_id']}", answer)
    if result.get("type") == "form" and result.get("errors"):
        raise DemoError(f"the hub's flow refuses {answer}: {result['errors']}")
    return result


def _explain(result: dict[str, Any]) -> str:
    return f"{result.get('type')} {result.get('step_id') or result.get('reason') or ''} {result.get('errors') or ''}".strip()
