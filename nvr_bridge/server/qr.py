"""QR codes, as pictures that a page can show."""

from __future__ import annotations

import segno


def qr(text: str) -> str:
    """`text` as a QR code: a data URI of an SVG, black on white with its quiet zone."""
    return segno.make_qr(text, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
