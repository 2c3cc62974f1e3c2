"""A manifest says what a pack is, and what its scores mean."""

from __future__ import annotations

import pytest

from nvr_bridge.errors import ModelPackError
from nvr_bridge.vision.pack import Calibration, Convert, Part, load_pack, parse_pack

# As published with the measurements that the pack was chosen by: first and last digits.
PUBLISHED = {
    Part.DETECTOR: ("6c0256cc", "5c8854"),
    Part.LANDMARKS: ("f10b0ba1", "142258"),
    Part.EMBEDDER: ("87aacdfe", "af3581"),
    Part.LIVENESS: ("afa783b7", "0dc32d"),
    Part.SMALL_FACES: ("09189dea", "5aefbc"),
}


def test_the_default_pack_is_the_one_that_was_measured() -> None:
    pack = load_pack()
    assert {model.part for model in pack.models} == set(PUBLISHED)
    for model in pack.models:
        first, last = PUBLISHED[model.part]
        assert model.sha256.startswith(first)
        assert model.sha256.endswith(last)
    assert pack.dimension == 512
    assert pack.model(Part.EMBEDDER).convert is Convert.PRELU


def test_a_pack_says_its_licence_and_what_is_known_of_its_training() -> None:
    packages = {package.name: package for package in load_pack().packages}
    assert {package.licence for package in packages.values()} == {"MIT"}
    assert packages["faceplugin-face-recognition-js"].training == "not disclosed by its authors"


@pytest.mark.parametrize(
    ("size", "fpir", "expected"),
    [
        (1, 1e-3, 0.45),  # .34 would do, and the floor is higher
        (10, 1e-3, 0.45),
        (100, 1e-3, 0.49),
        (1000, 1e-3, 0.55),
        (10_000, 1e-3, 0.61),  # beyond what was measured, along the same line
        (316, 1e-3, 0.52),  # half-way between two points, in the rate's logarithm
        (100, 1e-2, 0.45),
        (0, 1e-3, 0.45),
    ],
)
def test_the_threshold_rises_with_the_gallery(size: int, fpir: float, expected: float) -> None:
    assert load_pack().calibration.threshold(size, fpir) == pytest.approx(expected, abs=2e-3)


def test_the_threshold_follows_the_measured_points_where_no_floor_hides_them() -> None:
    bare = Calibration(load_pack().calibration.false_accept, 0.0, 40.0)
    assert [bare.threshold(1, far) for far in (1e-3, 1e-4, 1e-5, 1e-6)] == pytest.approx([0.34, 0.42, 0.49, 0.55])


def test_an_unknown_pack_is_told_with_those_that_exist() -> None:
    with pytest.raises(ModelPackError, match="'best': unknown; known packs: default"):
        load_pack("best")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: x", "required key"),
        ("[", "mine.yaml"),
        ("name: x\nsummary: y\npackages: {}\nmodels: {embedder: {package: z, member: m, sha256: abc}}\n", "sha256"),
    ],
)
def test_a_manifest_with_a_mistake_is_refused_by_field(text: str, named: str) -> None:
    with pytest.raises(ModelPackError, match=named) as caught:
        parse_pack(text, "mine.yaml")
    assert "\n" not in str(caught.value)
