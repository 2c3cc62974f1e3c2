"""A model pack's manifest: which files, from where, under which licence, and what its scores mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import voluptuous as vol
import yaml

from ..errors import ModelPackError

_FOLDER = Path(__file__).with_name("packs")


class Part(StrEnum):
    """What a model is for. The file of an installed pack is named after it."""

    DETECTOR = "detector"
    LANDMARKS = "landmarks"
    EMBEDDER = "embedder"
    LIVENESS = "liveness"
    SMALL_FACES = "small_faces"


class Client(StrEnum):
    """The ordinary client that fetches a package."""

    NPM = "npm"
    PIP = "pip"


class Convert(StrEnum):
    """What is done once, at installation."""

    NONE = "none"
    PRELU = "prelu"  # each PReLU rewritten in operators that run twice as fast
    FREE_SIZE = "free_size"  # any picture size instead of the one it was exported with


@dataclass(frozen=True, slots=True)
class Package:
    """Where files come from."""

    key: str
    client: Client
    name: str
    version: str
    licence: str
    training: str  # what is known of the data its weights were trained on


@dataclass(frozen=True, slots=True)
class Model:
    """One file of a pack."""

    part: Part
    package: Package
    member: str  # path inside the package's archive
    sha256: str  # of the file as the package carries it
    convert: Convert

    @property
    def file_name(self) -> str:
        """Its name in an installed pack."""
        return f"{self.part}.onnx"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a similarity means. `false_accept` pairs (rate, cosine similarity), from the highest rate to the lowest."""

    false_accept: tuple[tuple[float, float], ...]
    floor: float
    identify_from: float  # face width in pixels

    def threshold(self, gallery_size: int, fpir: float = 0.001) -> float:
        """The similarity from which a probe is accepted, so that a stranger passes with probability `fpir` at most.

        A stranger is compared with every template, so the rate for one comparison is `fpir / gallery_size`; the
        similarity for it is linear in the rate's logarithm between the measured points and beyond them.
        """
        rate = math.log10(fpir / max(1, gallery_size))
        points = [(math.log10(far), similarity) for far, similarity in self.false_accept]
        lower = next((i for i in range(1, len(points) - 1) if rate >= points[i][0]), len(points) - 1)
        (x1, y1), (x2, y2) = points[lower - 1], points[lower]
        similarity = y1 + (rate - x1) * (y2 - y1) / (x2 - x1)
        return min(max(similarity, self.floor), 1.0)


@dataclass(frozen=True, slots=True)
class Pack:
    """A manifest."""

    name: str
    summary: str
    models: tuple[Model, ...]
    dimension: int  # of an embedding
    calibration: Calibration

    @property
    def packages(self) -> tuple[Package, ...]:
        """Each package once, in the order of the files."""
        return tuple(dict.fromkeys(model.package for model in self.models))

    def model(self, part: Part) -> Model:
        """Raises `ModelPackError` if the pack has no such part."""
        for model in self.models:
            if model.part is part:
                return model
        raise ModelPackError(f"pack {self.name}: has no {part}; choose another pack")


def load_pack(name: str = "default") -> Pack:
    """The manifest called `name`. Raises `ModelPackError` for one that is unknown or malformed."""
    path = _FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise ModelPackError(f"pack {name!r}: unknown; known packs: {', '.join(pack_names())}")
    return parse_pack(path.read_text(encoding="utf-8"), path.name)


def parse_pack(text: str, where: str) -> Pack:
    """Check a manifest's text. Raises `ModelPackError` naming `where` and the field."""
    try:
        return _build(_SCHEMA(yaml.safe_load(text)))
    except (yaml.YAMLError, vol.Invalid) as err:
        raise ModelPackError(f"{where}: {' '.join(str(err).split())}; correct the manifest") from err


def pack_names() -> list[str]:
    """The packs that can be installed."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


# --- helpers ------------------------------------------------------------------------------------------------------

_TEXT = vol.All(str, vol.Length(min=1))
_RATE = vol.All(vol.Coerce(float), vol.Range(min=0.0, max=1.0, min_included=False))

_SCHEMA = vol.Schema(
    {
        vol.Required("name"): _TEXT,
        vol.Required("summary"): _TEXT,
        vol.Required("packages"): {
            _TEXT: {
                vol.Required("client"): vol.Coerce(Client),
                vol.Required("name"): _TEXT,
                vol.Required("version"): _TEXT,
                vol.Required("licence"): _TEXT,
                vol.Required("training"): _TEXT,
            }
        },
        vol.Required("models"): {
            vol.Coerce(Part): {
                vol.Required("package"): _TEXT,
                vol.Required("member"): _TEXT,
                vol.Required("sha256"): vol.All(str, vol.Match(r"^[0-9a-f]{64}$")),
                vol.Required("convert"): vol.Coerce(Convert),
            }
        },
        vol.Required("dimension"): vol.All(int, vol.Range(min=1)),
        vol.Required("calibration"): {
            vol.Required("false_accept"): vol.All({_RATE: vol.Coerce(float)}, vol.Length(min=2)),
            vol.Required("floor"): vol.Coerce(float),
            vol.Required("identify_from"): vol.Coerce(float),
        },
    }
)


def _build(raw: dict[str, Any]) -> Pack:
    packages = {key: Package(key, **fields) for key, fields in raw["packages"].items()}
    models = []
    for part, fields in raw["models"].items():
        if fields["package"] not in packages:
            raise vol.Invalid(f"models.{part}.package: {fields['package']!r} is not under packages")
        models.append(Model(part, packages[fields["package"]], fields["member"], fields["sha256"], fields["convert"]))
    scores = raw["calibration"]
    return Pack(
        name=raw["name"],
        summary=raw["summary"],
        models=tuple(models),
        dimension=raw["dimension"],
        calibration=Calibration(
            false_accept=tuple(sorted(scores["false_accept"].items(), reverse=True)),
            floor=scores["floor"],
            identify_from=scores["identify_from"],
        ),
    )
