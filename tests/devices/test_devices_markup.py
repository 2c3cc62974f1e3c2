"""What a device sends is read by local names, and nothing in it is followed."""

from __future__ import annotations

import pytest

from nvr_bridge.devices.address import at_host, host_of, normal
from nvr_bridge.devices.markup import MarkupError, every, first, parse, text


def test_names_are_found_whatever_their_namespace() -> None:
    root = parse(
        b'\xef\xbb\xbf<?xml version="1.0" encoding="GB2312"?><A xmlns="urn:x"><B><C> 7 </C></B><B><C>8</C></B></A>'
    )
    assert text(root, "B", "C") == "7"
    assert [entry.text for entry in every(root, "C")] == [" 7 ", "8"]
    assert first(root, "B", "D") is None
    assert text(root, "D") == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        b"<a>",
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b"<a>&e;</a>",
    ],
)
def test_what_is_no_plain_document_is_refused(data: bytes) -> None:
    with pytest.raises(MarkupError):
        parse(data)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("192.0.2.7", "192.0.2.7:80"),
        (" 192.0.2.7:8080 ", "192.0.2.7:8080"),
        ("http://Camera.local:81/onvif/device_service", "camera.local:81"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
    ],
)
def test_an_address_is_kept_in_one_form(written: str, kept: str) -> None:
    assert normal(written) == kept
    assert normal(kept) == kept


def test_an_address_is_moved_to_the_host_that_was_asked() -> None:
    assert at_host("rtsp://user:pw@10.0.0.9:554/a?b=c", "rtsp", host_of("192.0.2.7:80")) == "rtsp://192.0.2.7:554/a?b=c"
    assert at_host("http://10.0.0.9/media", "http", "192.0.2.7") == "http://192.0.2.7/media"


@pytest.mark.parametrize("url", ["", "media", "rtsp://10.0.0.9/a", "http://10.0.0.9:99999/a", "http:///a"])
def test_what_is_no_such_address_is_not_moved(url: str) -> None:
    assert at_host(url, "http", "192.0.2.7") is None
