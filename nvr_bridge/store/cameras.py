"""Cameras, the logins of their devices (sealed with the site key), and the logins that devices refused."""

from __future__ import annotations

import json
import time

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..consent.ledger import Ledger
from ..consent.vault import Vault
from ..devices.credentials import Credentials
from ..errors import ConflictError, NotFoundError
from ..models import Camera, CameraKind
from .database import Database
from .schema import CameraRow, Data, LoginRow, RefusalRow


class CameraTable:
    """The cameras. A login belongs to the device at an address, which may have many channels.

    Which camera watches which zone is an act of the ledger; `by` is the token that it was asked with.
    """

    def __init__(self, db: Database, vault: Vault, ledger: Ledger) -> None:
        self._db = db
        self._vault = vault
        self._ledger = ledger

    async def all(self) -> list[Camera]:
        """Every camera, by its id."""
        async with self._db.read() as session:
            return [_camera(row) for row in await session.scalars(select(CameraRow).order_by(CameraRow.camera_id))]

    async def add(self, camera: Camera, credentials: Credentials | None = None, by: str | None = None) -> None:
        """Keep a camera, instead of the one with its id, and its device's login if one is given.

        Raises `ConflictError` if the channel belongs to another camera.
        """
        try:
            async with self._db.write() as session:
                await self._record_added(session, camera, by)
                await session.merge(
                    CameraRow(
                        camera_id=camera.camera_id,
                        name=camera.name,
                        kind=camera.kind.value,
                        address=camera.address,
                        channel=camera.channel,
                        zone_id=camera.zone_id,
                    )
                )
                if credentials is not None:
                    await session.merge(self._login(camera.address, credentials))
                await session.flush()
                await _drop_unused_logins(session)
        except IntegrityError as err:
            raise ConflictError(
                f"camera: channel {camera.channel} of {camera.address} is a camera already; remove that one first"
            ) from err

    async def remove(self, camera_id: str, by: str | None = None) -> None:
        """Forget a camera, and its device's login if no other channel needs it. Raises `NotFoundError`."""
        async with self._db.write() as session:
            row = await self._row(session, camera_id)
            await session.delete(row)
            await session.flush()
            await _drop_unused_logins(session)
            data: Data = {"camera": camera_id, "token": by}
            await self._ledger.append(session, "camera_removed", at=time.time(), zone_id=row.zone_id, data=data)

    async def zone(self, session: AsyncSession, camera_id: str) -> str:
        """The zone that a camera watches, as the caller's transaction sees it. Raises `NotFoundError`."""
        return (await self._row(session, camera_id)).zone_id

    async def credentials(self, address: str) -> Credentials | None:
        """The device's login, if one is known."""
        async with self._db.read() as session:
            row = await session.get(LoginRow, address)
        if row is None:
            return None
        username, password = json.loads(self._vault.unseal_site(row.sealed))
        return Credentials(username, password, row.version)

    async def next_version(self, address: str) -> int:
        """A version under which no login of this device is kept or was refused."""
        kept = select(func.max(LoginRow.version)).where(LoginRow.address == address)
        refused = select(func.max(RefusalRow.version)).where(RefusalRow.address == address)
        async with self._db.read() as session:
            highest = [(await session.execute(query)).scalar_one_or_none() or 0 for query in (kept, refused)]
        return max(highest) + 1

    async def refused(self) -> set[tuple[str, int]]:
        """Every (address, login version) that a device refused."""
        async with self._db.read() as session:
            rows = await session.execute(select(RefusalRow.address, RefusalRow.version))
            return {(address, version) for address, version in rows}

    async def remember(self, address: str, version: int) -> None:
        """Keep a refusal; on return it is on the disk."""
        async with self._db.write() as session:
            await session.merge(RefusalRow(address=address, version=version))

    async def forget(self, address: str) -> None:
        """Drop every refusal of one device."""
        async with self._db.write() as session:
            await session.execute(delete(RefusalRow).where(RefusalRow.address == address))

    async def _record_added(self, session: AsyncSession, camera: Camera, by: str | None) -> None:
        data: Data = {"camera": camera.camera_id, "token": by}
        before = await session.get(CameraRow, camera.camera_id)
        if before is None:
            act = "camera_added"
        elif before.zone_id != camera.zone_id:
            act, data = "camera_moved", {**data, "from": before.zone_id}
        else:  # a name or a login
            return
        await self._ledger.append(session, act, at=time.time(), zone_id=camera.zone_id, data=data)

    async def _row(self, session: AsyncSession, camera_id: str) -> CameraRow:
        row = await session.get(CameraRow, camera_id)
        if row is None:
            raise NotFoundError(f"camera: {camera_id!r} does not exist; `nvr-bridge cameras list` shows those that do")
        return row

    def _login(self, address: str, credentials: Credentials) -> LoginRow:
        content = json.dumps([credentials.username, credentials.password]).encode()
        return LoginRow(address=address, version=credentials.version, sealed=self._vault.seal_site(content))


async def _drop_unused_logins(session: AsyncSession) -> None:
    await session.execute(delete(LoginRow).where(LoginRow.address.not_in(select(CameraRow.address))))


def _camera(row: CameraRow) -> Camera:
    return Camera(row.camera_id, row.name, CameraKind(row.kind), row.address, row.channel, row.zone_id)
