"""A stand-in for what arms and disarms by people's hands: it writes down what it was asked."""

from __future__ import annotations

from typing import Any


class SmallArming:
    """Keeps `server.api.ArmingApi`."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self.asked = asked

    async def recognition(self, args: dict[str, Any], by: str) -> Any:
        self.asked.append(("recognition", args, by))
        return {"recognition": args["on"]}

    async def camera_recognition(self, args: dict[str, Any], by: str) -> Any:
        self.asked.append(("camera_recognition", args, by))
        return {"camera": args["camera"], "recognition": args["on"]}

    async def assessment_acknowledge(self, args: dict[str, Any]) -> Any:
        self.asked.append(("assessment_acknowledge", args))
        return {"expires_at": "2030-01-01T00:00:00+00:00"}

    async def assessment_list(self) -> Any:
        return [
            {
                "by": "R. Tan",
                "ground": "consent, PIPL 13(1)",
                "profile": "demo",
                "acknowledged_at": "2029-01-01T00:00:00.000+00:00",
                "expires_at": "2030-01-01T00:00:00.000+00:00",
                "in_force": True,
                "ended_at": None,
            }
        ]
