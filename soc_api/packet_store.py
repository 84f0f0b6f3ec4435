"""Packets asked for, in the relational state; the API asks, the listener answers."""

from datetime import datetime

from sqlalchemy import Engine, RowMapping, insert, select, update

from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.packet_request import WAIT_MAX, PacketRequest, State
from soc_api.packet_tables import packet_requests as requests

_TIMES = ("begins", "ends", "asked")
_COUNTER = "packets"


class PacketStore:
    """Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, wanted: PacketRequest) -> None:
        """Keep a new request."""
        values = {
            name: getattr(wanted, name) for name in PacketRequest.__struct_fields__ if name != "finished"
        }
        values |= {name: micros(getattr(wanted, name)) for name in _TIMES}
        with writing(self._engine) as connection:
            connection.execute(insert(requests).values(**values))
            bump(connection, _COUNTER)

    def of_group(self, group: str) -> list[PacketRequest]:
        """Of an alert group, the newest first."""
        query = select(requests).where(requests.c.alert_group == group).order_by(requests.c.asked.desc())
        with self._engine.connect() as connection:
            return [_request(row) for row in connection.execute(query.limit(100)).mappings()]

    def request(self, identifier: str) -> PacketRequest | None:
        """One of them."""
        query = select(requests).where(requests.c.id == identifier)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _request(row)

    def wanted(self, now: datetime) -> list[PacketRequest]:
        """Those that no sensor has answered yet; what has waited too long is given up first."""
        late = requests.c.state == "wanted", requests.c.asked < micros(now - WAIT_MAX)
        query = select(requests).where(requests.c.state == "wanted").order_by(requests.c.asked)
        with self._engine.connect() as connection:
            found = [_request(row) for row in connection.execute(query.limit(500)).mappings()]
        if any(now - one.asked > WAIT_MAX for one in found):
            with writing(self._engine) as connection:
                gone = {"state": "failed", "reason": "unreachable", "finished": micros(now)}
                connection.execute(update(requests).where(*late).values(gone))
                bump(connection, _COUNTER)
            found = [one for one in found if now - one.asked <= WAIT_MAX]
        return found

    def finish(
        self, identifier: str, state: State, now: datetime, *, reason: str = "", size: int = 0, sm3: str = ""
    ) -> None:
        """What came of a request that was wanted; a second answer changes nothing."""
        values = {"state": state, "reason": reason, "bytes": size, "sm3": sm3, "finished": micros(now)}
        mine = requests.c.id == identifier, requests.c.state == "wanted"
        with writing(self._engine) as connection:
            connection.execute(update(requests).where(*mine).values(values))
            bump(connection, _COUNTER)

    def revision(self) -> int:
        """Rises with every request and every answer."""
        with self._engine.connect() as connection:
            return counter(connection, _COUNTER)


def _request(row: RowMapping) -> PacketRequest:
    values = {name: row[name] for name in PacketRequest.__struct_fields__}
    values |= {name: from_micros(row[name]) for name in _TIMES}
    finished = row["finished"]
    return PacketRequest(**values | {"finished": None if finished is None else from_micros(finished)})
