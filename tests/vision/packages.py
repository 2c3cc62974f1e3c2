"""A small pack, and the packages that carry its files."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

from nvr_bridge.vision.pack import Pack, parse_pack

FILES = {"package/model/d.onnx": b"detector " * 5000, "small/e.onnx": bytes(range(256)) * 200}

_MANIFEST = """
name: tiny
summary: two files
packages:
  node: {{client: npm, name: faces-js, version: 1.2.3, licence: MIT, training: made up}}
  python: {{client: pip, name: faces, version: 4.5.6, licence: Apache-2.0, training: made up}}
models:
  detector: {{package: node, member: package/model/d.onnx, sha256: {0}, convert: none}}
  embedder: {{package: python, member: small/e.onnx, sha256: {1}, convert: none}}
dimension: 4
calibration: {{false_accept: {{1.0e-3: 0.3, 1.0e-4: 0.4}}, floor: 0.4, identify_from: 40}}
"""


def tiny_pack() -> Pack:
    """One file from an npm package, one from a wheel."""
    return parse_pack(_MANIFEST.format(*(hashlib.sha256(data).hexdigest() for data in FILES.values())), "tiny.yaml")


def archives(folder: Path, files: dict[str, bytes] | None = None) -> tuple[Path, Path]:
    """The npm archive and the wheel, as their clients name them."""
    folder.mkdir(parents=True, exist_ok=True)
    npm, wheel = folder / "faces-js-1.2.3.tgz", folder / "faces-4.5.6-py3-none-any.whl"
    node, python = (files or FILES).items()
    with tarfile.open(npm, "w:gz") as archive:
        for name, data in (("package/package.json", b"{}"), node):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("faces/__init__.py", "")
        archive.writestr(*python)
    return npm, wheel
