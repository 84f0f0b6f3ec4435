"""Whether set-up is open, in the state database: one row, changed together with its audit line."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, insert, select, update

from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.identity_tables import setup

_ROW: Final = "setup"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Set-up as stored; ``digest`` is that of the token that ends it, '' before one is given out."""

    opened: datetime
    expires: datetime
    digest: str
    ended: datetime | None


class SetUpStore:
    """Set-up over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def opened(self) -> Opened | None:
        """How it stands; None in a center made before there was such a thing."""
        with self._engine.connect() as connection:
            row = connection.execute(select(setup).where(setup.c.name == _ROW)).mappings().first()
        if row is None:
            return None
        return Opened(
            opened=from_micros(row["opened"]),
            expires=from_micros(row["expires"]),
            digest=row["digest"],
            ended=None if row["ended"] is None else from_micros(row["ended"]),
        )

    def begin(self, state: Opened) -> None:
        """Open it, unless it was."""
        with writing(self._engine) as connection:
            if connection.scalar(select(setup.c.name).where(setup.c.name == _ROW)) is None:
                values = {"opened": micros(state.opened), "expires": micros(state.expires)}
                connection.execute(insert(setup).values(name=_ROW, digest=state.digest, **values))

    def change(self, state: Opened, said: Entry) -> None:
        """Replace token and end."""
        with recording(self._engine) as connection:
            values = {"digest": state.digest, "expires": micros(state.expires)}
            connection.execute(update(setup).where(setup.c.name == _ROW).values(values))
            append(connection, said)

    def end(self, now: datetime, said: Entry) -> bool:
        """Close it for good; False where it was closed already."""
        with recording(self._engine) as connection:
            open_ = update(setup).where(setup.c.name == _ROW, setup.c.ended.is_(None))
            if not connection.execute(open_.values(ended=micros(now), digest="")).rowcount:
                return False
            append(connection, said)
        return True
