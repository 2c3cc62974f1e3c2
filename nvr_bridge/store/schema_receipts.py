"""The table of receipts for erasures that nobody has taken yet."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from .schema import ID, NUMBER, Base, Data


class ReceiptRow(Base):
    """What a receipt will say. Written with the erasure, removed when the receipt is given: the salt is then only there."""

    __tablename__ = "receipts"

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)  # of the ledger's entry
    salt: Mapped[str] = mapped_column(ID)
    digest: Mapped[str] = mapped_column(ID)  # of the visitor's id, with the salt: nothing here has that id any more
    erased: Mapped[Data]  # how many rows, by table
