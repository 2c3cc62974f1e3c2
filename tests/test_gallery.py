"""Open-set identification: the nearest visitor if near enough and alone; else nobody, with the reason."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nvr_bridge.gallery import Gallery, decide
from nvr_bridge.models import Ground, Known, Permit, Probe, Unknown, UnknownReason

if TYPE_CHECKING:
    from nvr_bridge.models import Embedding

PERMIT = Permit("p", "lane", Ground.OPT_IN_ACT, "act", 1e12)


@dataclass(frozen=True)
class Template:
    template_id: int
    visitor_id: str
    embedding: Embedding
    zones: tuple[str, ...] = ()


def direction(*parts: float) -> Embedding:
    vector = np.zeros(512, np.float32)
    vector[: len(parts)] = parts
    return vector / np.float32(np.linalg.norm(vector))


def near(person: Embedding, cosine: float) -> Probe:
    """A probe at this cosine from `person`."""
    aside = np.zeros(512, np.float32)
    aside[511] = 1.0
    return Probe((person * cosine + aside * np.sqrt(1 - cosine**2)).astype(np.float32), PERMIT)


def store(*templates: Template) -> Callable[[], Awaitable[Sequence[Template]]]:
    """A store that holds these."""

    async def load() -> Sequence[Template]:
        return templates

    return load


ANA, BO = direction(1), direction(0, 1)


@pytest.fixture
async def gallery() -> AsyncIterator[Gallery]:
    held = Gallery(512, lambda size: 0.45)
    await held.rebuild(store(Template(1, "ana", ANA), Template(2, "bo", BO)))
    yield held
    await held.close()


async def test_the_nearest_visitor_is_known_with_score_and_margin(gallery: Gallery) -> None:
    who = await gallery.match(near(ANA, 0.7))
    assert isinstance(who, Known)
    assert who.visitor_id == "ana"
    assert who.score == pytest.approx(0.7, abs=0.002)
    assert who.margin == pytest.approx(0.7, abs=0.002)


async def test_below_the_threshold_is_no_match(gallery: Gallery) -> None:
    assert await gallery.match(near(ANA, 0.44)) == Unknown(UnknownReason.NO_MATCH)


async def test_an_empty_gallery_matches_nobody() -> None:
    gallery = Gallery(512, lambda size: 0.45)
    await gallery.rebuild(store())
    assert await gallery.match(near(ANA, 0.9)) == Unknown(UnknownReason.NO_MATCH)
    await gallery.close()


async def test_between_two_visitors_is_ambiguous(gallery: Gallery) -> None:
    between = Probe(direction(1, 1), PERMIT)
    assert await gallery.match(between) == Unknown(UnknownReason.AMBIGUOUS)


async def test_a_forgotten_visitor_matches_nothing_before_and_after_the_rebuild(gallery: Gallery) -> None:
    gallery.forget("ana")
    assert await gallery.match(near(ANA, 0.9)) == Unknown(UnknownReason.NO_MATCH)
    await gallery.rebuild(store(Template(2, "bo", BO)))
    assert await gallery.match(near(ANA, 0.9)) == Unknown(UnknownReason.NO_MATCH)
    assert isinstance(await gallery.match(near(BO, 0.9)), Known)


async def test_an_added_visitor_is_known_and_several_templates_count_as_one_visitor(gallery: Gallery) -> None:
    cy = direction(0, 0, 1)
    await gallery.extend([Template(number, "cy", cy) for number in range(3, 33)])
    assert gallery.size == 32
    who = await gallery.match(near(cy, 0.6))
    assert isinstance(who, Known)
    assert who.visitor_id == "cy"


@pytest.mark.parametrize("seen", [False, True])
async def test_whoever_is_added_while_the_store_is_read_is_known(gallery: Gallery, seen: bool) -> None:
    cy = Template(3, "cy", direction(0, 0, 1))
    reading, read = asyncio.Event(), asyncio.Event()

    async def load() -> Sequence[Template]:
        reading.set()
        await read.wait()
        return [Template(2, "bo", BO), *([cy] if seen else [])]

    rebuilt = asyncio.create_task(gallery.rebuild(load))
    await reading.wait()
    added = asyncio.create_task(gallery.extend([cy]))
    await asyncio.sleep(0.05)
    read.set()
    await asyncio.gather(rebuilt, added)
    assert isinstance(await gallery.match(near(cy.embedding, 0.9)), Known)


async def test_an_older_reading_of_the_store_brings_nobody_back(gallery: Gallery) -> None:
    ana = Template(1, "ana", ANA)

    async def load() -> Sequence[Template]:
        gallery.forget("ana")
        return [ana]

    await gallery.rebuild(load)
    assert await gallery.match(near(ANA, 0.9)) == Unknown(UnknownReason.NO_MATCH)
    await gallery.extend([ana])
    assert await gallery.match(near(ANA, 0.9)) == Unknown(UnknownReason.NO_MATCH)
    assert gallery.size == 0


def test_the_threshold_sees_the_gallery_grow() -> None:
    found = [(1, 0.5)]
    assert isinstance(decide(found, {1: "ana"}, 0.49), Known)
    assert decide(found, {1: "ana"}, 0.51) == Unknown(UnknownReason.NO_MATCH)


def test_templates_without_an_owner_count_for_nobody() -> None:
    assert decide([(9, 0.99), (1, 0.6)], {1: "ana"}, 0.45) == Known("ana", 0.6, 0.6)


def in_zone(zone: str, person: Embedding) -> Probe:
    return Probe(person, Permit("p", zone, Ground.OPT_IN_ACT, "b", 1e12))


async def test_nobody_is_known_where_they_did_not_agree_to_be(gallery: Gallery) -> None:
    await gallery.extend([Template(3, "cy", direction(0, 0, 1), ("desk",))])
    cy = direction(0, 0, 1)
    assert isinstance(await gallery.match(in_zone("desk", cy)), Known)
    assert await gallery.match(in_zone("lane", cy)) == Unknown(UnknownReason.NO_MATCH)
    assert isinstance(await gallery.match(in_zone("lane", ANA)), Known)  # an older consent names no zone
    # Somebody who is out of place makes nobody else ambiguous.
    await gallery.extend([Template(4, "dee", direction(1, 0, 0, 0.1), ("desk",))])
    assert await gallery.match(in_zone("desk", ANA)) == Unknown(UnknownReason.AMBIGUOUS)
    assert isinstance(await gallery.match(in_zone("lane", ANA)), Known)


async def test_new_templates_take_the_place_of_the_old_ones(gallery: Gallery) -> None:
    for number in range(40):
        new = direction(0, 0, 1, 0.01 * number)
        await gallery.replace("ana", [Template(100 + number, "ana", new, ("lane",))])
    assert await gallery.match(in_zone("lane", ANA)) == Unknown(UnknownReason.NO_MATCH)
    who = await gallery.match(in_zone("lane", new))
    assert isinstance(who, Known)
    assert (who.visitor_id, gallery.size) == ("ana", 2)
    await gallery.replace("dee", [Template(500, "dee", direction(0, 0, 0, 0, 1))])
    assert isinstance(await gallery.match(in_zone("lane", direction(0, 0, 0, 0, 1))), Known)


async def test_whoever_was_forgotten_is_known_again_once_readmitted(gallery: Gallery) -> None:
    gallery.forget("ana", "bo")
    await gallery.rebuild(store())
    gallery.readmit("ana")
    await gallery.extend([Template(3, "ana", ANA), Template(4, "bo", BO)])
    assert isinstance(await gallery.match(near(ANA, 0.9)), Known)
    assert await gallery.match(near(BO, 0.9)) == Unknown(UnknownReason.NO_MATCH)


@pytest.mark.parametrize(
    "modules", ["nvr_bridge.gallery, onnxruntime", "nvr_bridge.gallery, nvr_bridge.vision.sessions"]
)
def test_whatever_is_loaded_after_it_the_process_lives(modules: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)


def test_the_engine_can_be_loaded_first_of_all() -> None:
    subprocess.run([sys.executable, "-c", "import nvr_bridge.engine"], check=True)
