"""The same face over the frames of one camera. Pure: state in, state out, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..models import Box, Camera, Face, FaceShot, Track

CONFIRM_HITS = 2  # a face seen once may be none
END_AFTER = 1.0  # seconds without a hit
_NEAR = 0.7  # of a face's size: how far its centre may move between two frames
_ALIKE = 1.45  # how much larger or smaller it may become: whoever comes in where another left is seldom as near


@dataclass(frozen=True, slots=True)
class Tracks:
    """What is followed on one camera. `live` includes tracks that are not confirmed yet."""

    live: tuple[Track, ...] = ()
    next_id: int = 1

    def replacing(self, tracks: Iterable[Track]) -> Tracks:
        """The same state with those tracks in their newer form."""
        newer = {track.track_id: track for track in tracks}
        return replace(self, live=tuple(newer.get(track.track_id, track) for track in self.live))


@dataclass(frozen=True, slots=True)
class Update:
    """What a frame changed. Only confirmed tracks are told of: what was seen once only never was."""

    state: Tracks
    live: tuple[Track, ...]
    ended: tuple[Track, ...]


def update(state: Tracks, faces: Sequence[Face], at: float, camera: Camera) -> Update:
    """Match a frame's faces, taken at `at`, to the tracks. With no faces and `at` infinite, every track ends."""
    pairs = _matched(state.live, faces, at)
    taken = {face for _, face in pairs.items()}
    live: list[Track] = []
    ended: list[Track] = []
    for i, track in enumerate(state.live):
        if i in pairs:
            live.append(replace(track, last_at=at, hits=track.hits + 1, box=faces[pairs[i]].box))
        elif at - track.last_at < END_AFTER:
            live.append(track)
        else:
            ended.append(track)
    next_id = state.next_id
    for j, face in enumerate(faces):
        if j not in taken:
            live.append(Track(camera.camera_id, camera.zone_id, next_id, at, at, 1, face.box))
            next_id += 1
    return Update(Tracks(tuple(live), next_id), _confirmed(live), _confirmed(ended))


def with_best(track: Track, shot: FaceShot) -> Track:
    """The track with `shot` as its best look so far."""
    return replace(track, best=shot)


# --- helpers ------------------------------------------------------------------------------------------------------


def _confirmed(tracks: Iterable[Track]) -> tuple[Track, ...]:
    return tuple(track for track in tracks if track.hits >= CONFIRM_HITS)


def _matched(tracks: Sequence[Track], faces: Sequence[Face], at: float) -> dict[int, int]:
    """Track index → face index: the likeliest pair first, each of both used once."""
    likely = sorted(
        (
            (score, i, j)
            for i, track in enumerate(tracks)
            for j, face in enumerate(faces)
            if (score := _likeness(track.box, face.box, at - track.last_at)) > 0
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, i, j in likely:
        if i not in pairs and j not in used:
            pairs[i] = j
            used.add(j)
    return pairs


def _likeness(was: Box, now: Box, seconds: float) -> float:
    """0 (another face) … 2. Overlap decides; without it, a near centre and a like size do, a little farther in time."""
    size = max(was.width, was.height, 1.0)
    ratio = max(now.height, 1.0) / max(was.height, 1.0)
    if not 1 / _ALIKE <= ratio <= _ALIKE:
        return 0.0
    moved = math.hypot((now.x1 + now.x2 - was.x1 - was.x2) / 2, (now.y1 + now.y2 - was.y1 - was.y2) / 2) / size
    reach = _NEAR * (1.0 + min(seconds, END_AFTER))
    overlap = was.iou(now)
    if overlap <= 0.1 and moved > reach:
        return 0.0
    return overlap + max(0.0, 1.0 - moved / reach)
