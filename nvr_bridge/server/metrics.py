"""The metrics page, made anew from a snapshot at each request. It names cameras and zones, and never a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from ..messages import Snapshot

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def render(snapshot: Snapshot, *, clients: int, dropped: int) -> bytes:
    """The page, in the text format 0.0.4. `clients` are connected now, `dropped` were too slow since the start."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector([*_engine(snapshot, clients, dropped), *_cameras(snapshot), *_zones(snapshot)]))
    return generate_latest(registry)


class _Collector:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _engine(snapshot: Snapshot, clients: int, dropped: int) -> Iterator[Metric]:
    engine = snapshot["engine"]
    info = InfoMetricFamily("nvr_bridge", "The engine")
    info.add_metric([], {"version": engine["version"], "profile": engine["profile"]})
    yield info
    yield _counter("nvr_bridge_tracks", "Faces followed from their coming to their going", engine["tracks"])
    yield _counter("nvr_bridge_permits", "Permits made by the gate", engine["permits"])
    yield _counter("nvr_bridge_embeddings", "Runs seen at the embedder", engine["embeddings"])
    yield GaugeMetricFamily(
        "nvr_bridge_embeddings_without_permit", "Runs less permits; must be 0", engine["embeddings_without_permit"]
    )
    yield GaugeMetricFamily("nvr_bridge_subjects", "Visitors who agreed to be remembered", engine["subjects"])
    if (slowest := engine["search_p99_ms"]) is not None:
        yield GaugeMetricFamily("nvr_bridge_search_p99_seconds", "Of the last ten minutes' searches", slowest / 1000)
    yield from _watch(snapshot)
    yield GaugeMetricFamily("nvr_bridge_clients", "Clients connected", clients)
    yield _counter("nvr_bridge_clients_dropped", "Clients dropped because they did not read", dropped)


def _watch(snapshot: Snapshot) -> Iterator[Metric]:
    engine, watch = snapshot["engine"], snapshot["engine"]["watch"]
    yield GaugeMetricFamily("nvr_bridge_armed", "Whether recognition is allowed anywhere now", engine["armed"])
    why = GaugeMetricFamily("nvr_bridge_not_armed", "Why zones that may recognise do not", labels=["reason"])
    for reason in watch["reasons"]:
        why.add_metric([reason], 1)
    yield why
    if watch["subjects_warning"] is not None:
        level = watch["subjects_warning"]
        yield GaugeMetricFamily("nvr_bridge_subjects_warning", "Visitors from which the profile warns", level)
    yield GaugeMetricFamily("nvr_bridge_consents_to_renew", "Consents under another notice", watch["to_renew"])
    yield GaugeMetricFamily("nvr_bridge_erasures_overdue", "Erasures that should be done", watch["erasures_overdue"])
    yield GaugeMetricFamily(
        "nvr_bridge_log_cut", "Whether the database's log is free of what was erased", watch["log_cut"]
    )
    yield GaugeMetricFamily(
        "nvr_bridge_clock_doubted", "Whether nothing is removed because the clock jumped", watch["clock_doubted"]
    )
    for key, text in _MOMENTS.items():
        if (moment := watch[key]) is not None:
            seconds = datetime.fromisoformat(moment).timestamp()
            yield GaugeMetricFamily(f"nvr_bridge_{key.removesuffix('_at')}_timestamp_seconds", text, seconds)


_MOMENTS: dict[
    Literal["oldest_template", "last_purge", "next_purge", "assessment_expires_at", "keys_backed_up_at"], str
] = {
    "oldest_template": "When the oldest consent that a template rests on was given",
    "last_purge": "When what was due was last removed",
    "next_purge": "When what is due will be removed",
    "assessment_expires_at": "When the impact assessment must be made anew",
    "keys_backed_up_at": "When the engine last wrote the key backup",
}


def _cameras(snapshot: Snapshot) -> Iterator[Metric]:
    online = GaugeMetricFamily("nvr_bridge_camera_online", "Whether the camera delivers", labels=["camera"])
    decoded = CounterMetricFamily("nvr_bridge_frames_decoded", "Frames decoded", labels=["camera"])
    analysed = CounterMetricFamily("nvr_bridge_frames_analysed", "Frames searched for faces", labels=["camera"])
    dropped = CounterMetricFamily("nvr_bridge_frames_dropped", "Frames that a newer one replaced", labels=["camera"])
    for camera in snapshot["cameras"]:
        online.add_metric([camera["id"]], camera["state"] == "online")
        decoded.add_metric([camera["id"]], camera["decoded"])
        analysed.add_metric([camera["id"]], camera["analysed"])
        dropped.add_metric([camera["id"]], camera["dropped"])
    yield from (online, decoded, analysed, dropped)


def _zones(snapshot: Snapshot) -> Iterator[Metric]:
    armed = GaugeMetricFamily("nvr_bridge_zone_armed", "Whether recognition is allowed now", labels=["zone"])
    present = GaugeMetricFamily("nvr_bridge_zone_people_present", "People in view", labels=["zone"])
    for zone in snapshot["zones"]:
        armed.add_metric([zone["id"]], zone["armed"])
        present.add_metric([zone["id"]], zone["people_present"])
    yield from (armed, present)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)
