"""Run the virtual camera of the `ipycam` package on loopback until standard input closes.

Usage: python ipycam_process.py HTTP_PORT RTSP_PORT FOLDER. Prints one line when it answers. The package has its own
WS-Discovery, ONVIF services and RTSP server, and leaves encoding to an `ffmpeg` on the PATH; where there is none, one
is made in FOLDER that encodes with PyAV, for the few options that `ipycam` gives it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import threading
from pathlib import Path

import av
import numpy as np


def main(http_port: int, rtsp_port: int, folder: Path) -> None:
    """Serve a moving square."""
    if shutil.which("ffmpeg") is None:
        stand_in = folder / "ffmpeg"
        stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" encode "$@"\n')
        stand_in.chmod(0o755)
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"

    from ipycam import CameraConfig, IPCamera  # noqa: PLC0415 - the encoder runs this file too, and needs none of it

    camera = IPCamera(
        CameraConfig(
            name="Foreign",
            local_ip="127.0.0.1",
            onvif_port=http_port,
            rtsp_port=rtsp_port,
            main_width=1280,
            main_height=720,
            main_fps=10,
            sub_width=640,
            sub_height=360,
            sub_fps=10,
        )
    )
    camera.start()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    image = np.full((720, 1280, 3), 90, np.uint8)
    while not ended.is_set():
        image[:, :-8] = image[:, 8:]
        image[100:200, -8:] = np.random.default_rng().integers(0, 255)
        camera.stream(image)  # keeps the pace
    camera.stop()


def encode(options: list[str]) -> None:
    """Raw pictures from standard input, H.264 to the address or pipe that `ipycam` names last."""
    if options == ["-version"]:
        return
    value = dict(itertools.pairwise(options))
    width, height = (int(part) for part in value["-s"].split("x"))
    target = options[-1]
    output = av.open(
        sys.stdout.buffer if target == "pipe:1" else target, "w", format="h264" if target == "pipe:1" else "rtp"
    )
    video = output.add_stream("libx264", rate=int(value["-r"]))
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    video.gop_size = int(value.get("-g", "12"))
    video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    while len(raw := sys.stdin.buffer.read(width * height * 3)) == width * height * 3:
        picture = av.VideoFrame.from_ndarray(np.frombuffer(raw, np.uint8).reshape(height, width, 3), format="bgr24")
        output.mux(video.encode(picture))
    output.mux(video.encode(None))
    output.close()


if __name__ == "__main__":
    if sys.argv[1] == "encode":
        encode(sys.argv[2:])
    else:
        main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
