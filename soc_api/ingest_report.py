"""What the listener itself has to say becomes an event like any other: in the log, signed, traceable.

The center speaks as the sensor ``liuhe.center``, a name that no sensor can be enrolled with; its batches are
signed by the key of its own link certificate.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from crypto.keys import SigningKey
from crypto.words import LiuheError
from sensors.event import LogSource, Observation, Value, encode, stamp
from sensors.messages import EPOCH_MAX
from sensors.signed_batch import Signer
from sensors.wire import lane_sequence, make_batch
from soc_api.ingest_commit import Committer, Source
from soc_api.ingest_recent import digests_of

CENTER_SENSOR: Final = "liuhe.center"
LANE: Final = "alerts"
_LOGSOURCE: Final = LogSource(product="liuhe", service="ingest")


class Reporter:
    """One per listener; ``tell`` from any task of its loop."""

    def __init__(
        self,
        committer: Committer,
        key: SigningKey,
        unit: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._committer: Final = committer
        self._signer: Final = Signer(key)
        self._source = Source(unit)
        self._now: Final = now
        self._epoch = 0
        self._sequence = 0
        self._turn: Final = asyncio.Lock()

    async def tell(
        self, fields: Mapping[str, Value], *, time: datetime | None = None, source: LogSource = _LOGSOURCE
    ) -> bool:
        """Make one event durable, of ``time`` if it is not of now; False where the log cannot be written."""
        async with self._turn:
            now = self._now()
            if not self._epoch:
                newest = self._committer.newest(CENTER_SENSOR).epoch
                self._epoch = min(max(newest + 1, int(now.timestamp())), EPOCH_MAX)
            seen = Observation(time=time or now, logsource=source, fields=dict(fields), lane=LANE)
            sequence = self._sequence + 1
            event = stamp(
                seen,
                unit=self._source.unit,
                sensor=CENTER_SENSOR,
                epoch=self._epoch,
                sequence=lane_sequence(LANE, sequence),
            )
            lines = [encode(event)]
            batch = self._signer.sign(make_batch(CENTER_SENSOR, self._epoch, LANE, sequence, lines))
            done = await self._committer.submit(self._source, batch, digests_of(lines))
            try:
                await done
            except LiuheError:
                # The same number comes again with other words, under another boot.
                self._source, self._epoch, self._sequence = Source(self._source.unit), self._epoch + 1, 0
                return False
            self._sequence = sequence
            return True
