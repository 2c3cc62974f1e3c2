"""A poor look is rejected with its reason, in words, by the installed camera and by the tablet's own.

Each way takes a while, so one is gone in English and the other in Chinese: how a reason becomes words is the same for both.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Tab, chromium, tab
from disguise import blurred, drawing, masked, turned
from engine_site import Person, Site, until
from installed import Installed, installed, lit, scene
from visit import Tablet, expect, paired

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]

type People = dict[str, Person]

SCENES: dict[str, Callable[[People], np.ndarray]] = {
    "nobody": lambda _: scene(),
    "more_than_one": lambda people: scene(people["mei"], people["vera"]),
    "not_a_face": lambda _: drawing(),
    "too_small": lambda people: scene(people["vera"], face=30),
    "turned": lambda people: scene(turned(people["pia"])),
    "blurred": lambda people: scene(blurred(people["vera"])),
    "covered": lambda people: scene(masked(people["vera"])),
}
FACES = {"nobody": 0, "more_than_one": 2}  # that the detector finds; one in all others
WORDS = Path(__file__).parents[2] / "nvr_bridge" / "server" / "pages" / "words"


def said(language: str, flaw: str) -> str:
    """What the page says of it."""
    return str(json.loads((WORDS / f"visit.{language}.json").read_text(encoding="utf-8"))[f"flaw_{flaw}"])


async def before_the_camera(tablet: Tablet) -> None:
    """Up to the step at which the camera looks."""
    await tablet.tap("#agree")
    await tablet.tap("#age_enough")
    await tablet.at("look")


async def test_each_reason_is_told_in_words_and_then_it_works(site: Site, visitor: Tab, people: People) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        await before_the_camera(tablet)
        await expect(tablet.page.locator("#camera")).to_contain_text("Desk camera")
        for flaw, view in SCENES.items():
            await changes(site, camera, view(people), faces=FACES.get(flaw, 1))
            await tablet.tap("#look")
            await expect(tablet.page.locator("#look_problem")).to_have_text(said("en", flaw))
        assert site.engine["embeddings"] == 0
        await visitor.shot("rejected-en")
        await changes(site, camera, scene(people["vera"]))
        await tablet.tap("#look")
        await tablet.at("confirm")


async def changes(site: Site, camera: Installed, picture: np.ndarray, *, faces: int = 1) -> None:
    """Whoever was there goes, and then there is this to be seen, with so many faces."""
    camera.picture = scene()
    await until(lambda: site.zone("desk")["people_present"] == 0)
    camera.picture = picture
    await until(lambda: site.zone("desk")["people_present"] == faces)


# --- the tablet's own camera ----------------------------------------------------------------------------------------


def film(path: Path, picture: np.ndarray) -> None:
    """A film in which what the picture shows sways a little, as Chromium's pretended camera takes it."""
    swaying = [np.roll(picture, shift, axis=1) for shift in (0, 1, 2, 3, 3, 2, 1, 0, -1, -2, -2, -1)]
    frames = [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for frame in swaying]
    path.write_bytes(b"".join(frames))


PRETEND = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


async def test_by_the_tablets_own_camera(site: Site, people: People, tmp_path: Path, shots: Path) -> None:
    lens = tmp_path / "camera.mjpeg"  # opened anew each time that the page turns the camera on
    film(lens, scene())
    camera = f"--use-file-for-fake-video-capture={lens}"
    async with lit(site, "desk"), chromium(*PRETEND, camera) as browser, tab(browser, shots) as visitor:
        await visitor.page.context.grant_permissions(["camera"])
        tablet = await paired(site, visitor, language="zh-Hans")
        await before_the_camera(tablet)
        await expect(tablet.button("#look")).to_have_count(0)  # no camera is installed here
        for flaw, view in SCENES.items():
            # A little more blurred: the film of the picture is compressed, which looks like sharpness.
            film(lens, scene(blurred(people["vera"], 0.03)) if flaw == "blurred" else view(people))
            await tablet.tap("#tablet")
            await tablet.at("tablet")
            await tablet.tap("#picture")
            await expect(tablet.page.locator("#tablet_problem")).to_have_text(said("zh-Hans", flaw))
            if flaw == "more_than_one":
                await visitor.shot("rejected-zh-Hans")
            await tablet.tap("#installed")  # which turns this camera off
            await tablet.at("look")
        assert site.engine["embeddings"] == 0
        film(lens, scene(people["vera"]))
        await tablet.tap("#tablet")
        await tablet.tap("#picture")
        await tablet.at("confirm")
        crop = await tablet.page.locator("#crop").get_attribute("src")
        assert crop is not None
        shown = cv2.imdecode(np.frombuffer(base64.b64decode(crop.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape == (112, 112, 3)
        await tablet.tap("#me")
        await tablet.at("receipt")
        assert len(await site.admin.call("consent/list")) == 1
