"""The sensor's part in what a connection carries besides batches: renewal, configuration, revocation lists.

The uplink asks ``outgoing`` on every turn and hands over every message it has no use for. What changes is
told as lifecycle events; a new configuration asks the sensor to start anew, with the sources it then names.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from crypto.link_trust import LinkTrust
from crypto.words import LiuheError, Words
from sensors.configuration import Body, ConfigurationFolder
from sensors.event import Observation, Value
from sensors.lifecycle import lifecycle_event
from sensors.messages import (
    Configuration,
    Message,
    PacketsFound,
    PacketsWanted,
    Renewed,
    RevocationLists,
    malformed,
)
from sensors.renewal import Renewal
from sensors.settings import Settings

logger = logging.getLogger(__name__)


class Packets(Protocol):
    """The raw packets kept; ``sensors.network.packet_desk.PacketDesk``."""

    def want(self, asked: PacketsWanted) -> None:
        """Begin to look for what is asked; does not wait."""
        ...

    def next(self) -> PacketsFound | None:
        """A part of an answer that is ready."""
        ...

    def forget(self) -> None:
        """Leave what is not answered yet."""
        ...


class Control:
    """One per sensor, for all its connections; called from the uplink's thread."""

    def __init__(
        self,
        configurations: ConfigurationFolder,
        renewal: Renewal,
        trust: LinkTrust,
        settings: Settings,
        *,
        held: Body | None,
        tell: Callable[[Observation], None],
        changed: Callable[[], None],
        now: Callable[[], datetime],
        packets: Packets | None = None,
    ) -> None:
        """``settings`` are sensor.toml's own; ``changed`` is called when a new configuration is held."""
        self._packets: Final = packets
        self._configurations: Final = configurations
        self._renewal: Final = renewal
        self._trust: Final = trust
        self._settings: Final = settings
        self.center = ""
        """The verified name of the center at the other end; set with each connection."""
        self._held = held
        self._tell: Final = tell
        self._changed: Final = changed
        self._now: Final = now
        self._renewed = False
        self._renewal_trouble = ""
        self._refused = 0  # the version refused last: told once, not at every connection

    def version(self) -> int:
        """Of the configuration held; 0 for none."""
        return self._held.version if self._held is not None else 0

    def has_packets(self) -> bool:
        """Whether raw packets are kept here."""
        return self._packets is not None

    def connected(self) -> None:
        """The center has welcomed us; it asks again for what the last connection left unanswered."""
        if self._packets is not None:
            self._packets.forget()

    def outgoing(self) -> Sequence[Message]:
        """What to send now. Raises ConnectionAbortedError once after a renewal: connect with the new pair."""
        if self._renewed:
            self._renewed = False
            raise ConnectionAbortedError("reconnecting with the renewed certificate")
        try:
            asked = self._renewal.request()
        except (LiuheError, OSError) as error:
            if str(error) != self._renewal_trouble:
                self._renewal_trouble = str(error)
                logger.warning("renewal: %s", error)
            return ()
        if asked is not None:
            return (asked,)
        found = self._packets.next() if self._packets is not None else None
        return () if found is None else (found,)

    def take(self, message: Message) -> None:
        """A message of the center. Raises BadInput where it is none that a sensor expects."""
        match message:
            case Configuration():
                self._configure(message)
            case Renewed():
                self._install(message)
            case RevocationLists(lists=lists):
                self._trust.take_lists(lists.encode())
            case PacketsWanted() if self._packets is not None:
                self._packets.want(message)
            case _:
                raise malformed("the center sent what a sensor does not expect", "type")

    def _configure(self, message: Configuration) -> None:
        try:
            body = self._configurations.accept(message, self._settings, center=self.center)
        except LiuheError as error:
            self._refuse(message, error.what, error.code)
            return
        except OSError as error:
            self._refuse(message, Words(str(error), str(error)), "configuration-unwritten")
            return
        if body is None:
            return
        before, self._held = self._held, body
        logger.info("configuration %d of %s", body.version, body.center)
        if before is not None and (before.settings, before.files, before.unit) == (
            body.settings,
            body.files,
            body.unit,
        ):
            return  # only the number rose
        if before is None and not body.settings and not body.files and body.unit == self._settings.unit:
            return
        fields: dict[str, Value] = {
            "version": body.version,
            "tables": ", ".join(sorted(body.settings)),
            "unit": body.unit,
        }
        self._tell(lifecycle_event("configuration-applied", self._now(), fields))
        self._changed()

    def _refuse(self, message: Configuration, what: Words, code: str) -> None:
        logger.warning("configuration refused: %s", what)
        mark = hash(message.body)
        if mark != self._refused:
            self._refused = mark
            said: dict[str, Value] = {"held": self.version(), "reason": what.en, "code": code}
            self._tell(lifecycle_event("configuration-refused", self._now(), said))

    def _install(self, message: Renewed) -> None:
        try:
            certificate = self._renewal.install(message)
        except (LiuheError, OSError) as error:
            logger.warning("renewal: %s", error)
            return
        expires = certificate.not_after.isoformat()
        self._tell(lifecycle_event("certificate-renewed", self._now(), {"expires": expires}))
        self._renewed = True
