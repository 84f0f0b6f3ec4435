"""The listener for packages of other centers in a thread of the api process, where center.toml enables it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crypto.certified import signer_of
from crypto.key_files import KeyFolder
from soc_api.settings import Link, Transfer
from soc_api.transfer_desk import Parts
from soc_api.transfer_import import ImportService
from soc_api.transfer_intake import CenterIntake, Desk
from soc_api.transfer_online import TransferListener
from soc_api.transfer_peers import FOLDER, server_link
from soc_api.transfer_staging import Staging

KEYS: Final = "keys"
SIGN, ENCRYPT = "center-sign", "center-encrypt"
PARTIALS: Final = "online"


@contextmanager
def transfer_door(
    parts: Callable[[], Parts], folder: Path, settings: Transfer, link: Link | None = None
) -> Iterator[int]:
    """Listening inside, on the port given; 0 where not enabled. Raises LiuheError where it cannot listen."""
    if not settings.enabled:
        yield 0
        return
    trust = Path(settings.authority) if settings.authority else None
    end = server_link(folder / FOLDER, trust, only_sm=link.only_sm if link else True)
    listener = TransferListener(
        CenterIntake(lambda: station_desk(parts())),
        Staging(folder / PARTIALS),
        end,
        host=settings.host,
        port=settings.port,
    )
    door = _Door(listener)
    thread = threading.Thread(target=door.run, name="transfer-door")
    thread.start()
    try:
        yield door.opened()
    finally:
        door.close()
        thread.join()


def station_desk(parts: Parts) -> Desk:
    """Imports with the center's own keys, which bear no passphrase here. Raises Refused."""
    folder = KeyFolder(parts.ferry.folder / KEYS)
    keys = folder.decryption_keys(ENCRYPT, None)
    return Desk(parts, ImportService(parts, keys, signer_of(folder, SIGN, None)), keys)


class _Door:
    """A loop in a thread of its own."""

    def __init__(self, listener: TransferListener) -> None:
        self._listener: Final = listener
        self._loop: Final = asyncio.new_event_loop()
        self._asked: Final = asyncio.Event()
        self._ready: Final = threading.Event()
        self._failed: BaseException | None = None

    def run(self) -> None:
        """Until ``close``."""
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._listen())
        except BaseException as error:  # noqa: BLE001 -- told to whoever waits for the door
            self._failed = error
        finally:
            self._ready.set()

    def opened(self) -> int:
        """The port, once it is open."""
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        return self._listener.port

    def close(self) -> None:
        """Ask it to end; an import that has begun is ended first."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._asked.set)

    async def _listen(self) -> None:
        async with self._listener:
            self._ready.set()
            await self._asked.wait()
