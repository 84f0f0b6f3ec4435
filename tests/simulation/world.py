"""One run: faults F1 to F8 and F10 to F12 in a seeded order, then peace, then the account.

Whatever happens, in the end: what was durable at the sensor is stored at the center or covered by a gap
record stored there; nothing is stored twice; nothing is stored that was not put, byte for byte.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded, so that a run can be repeated

from machines import (
    NUMBER,
    PADDING,
    CenterMachine,
    Clock,
    Link,
    Range,
    SensorMachine,
    range_of,
    undisturbed,
)
from virtual_disk import Killed, VirtualDisk

from crypto.keys import SigningKey
from crypto.words import LiuheError
from sensors.event import Event

STEPS = 120
DRAIN_STEPS = 20_000


class World:
    """Sensor, center and the wire between them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = Clock(datetime(2026, 11, 1, tzinfo=UTC))
        self.happened: Counter[str] = Counter()
        self.sensor = SensorMachine(self.random, self.clock, VirtualDisk(self.random))
        self.center = CenterMachine(VirtualDisk(self.random), self.random)
        self.link: Link | None = None
        self._patience = 1.0  # share of the turns in which the center does anything: F8
        self._faults: list[tuple[float, Callable[[], None]]] = self._plan()

    def run(self) -> None:
        """The whole run. Raises AssertionError where the promise is broken."""
        try:
            for _ in range(STEPS):
                self.clock.seconds += self.random.random()
                self._befall()
                self._work()
            self._make_peace()
            self._account()
        finally:
            self.center.close()

    # -- faults

    def _plan(self) -> list[tuple[float, Callable[[], None]]]:
        """Each run has a mood: every fault with a chance of its own, most of them small or nought."""
        every = (
            self._kill_sensor_soon,
            self._kill_center_soon,
            self._cut_sensors_power,
            self._cut_centers_power,
            self._break_sensors_disk,
            self._break_centers_disk,
            self._fill_sensors_disk,
            self._fill_centers_disk,
            self._mend_disks,
            self._rot,
            self._lose_segment,
            self._lose_small_file,
            self._cut_connection,
            self._replay,
            self._jump_clock,
            self._slow_center,
            self._burst,
            self._change_key,
        )
        return [(self.random.choice((0.0, 0.01, 0.03, 0.1)), one) for one in every]

    def _befall(self) -> None:
        for chance, fault in self._faults:
            if self.random.random() < chance:
                fault()
                self.happened[fault.__name__.lstrip("_")] += 1

    def _kill_sensor_soon(self) -> None:
        """F1, F11: at any of the next system calls."""
        self.sensor.disk.kill_at = self.sensor.disk.operations + self.random.randint(1, 40)

    def _kill_center_soon(self) -> None:
        """F2: also between storing and acknowledging."""
        self.center.disk.kill_at = self.center.disk.operations + self.random.randint(1, 40)

    def _cut_sensors_power(self) -> None:
        """F3."""
        self._lose_sensor(power=True)

    def _cut_centers_power(self) -> None:
        """F3."""
        self._lose_center(power=True)

    def _break_sensors_disk(self) -> None:
        """F4: EIO now and then, of any call."""
        self.sensor.disk.chances = self._errors()

    def _break_centers_disk(self) -> None:
        """F4."""
        self.center.disk.chances = self._errors()

    def _errors(self) -> dict[str, float]:
        calls = ("pwrite", "sync", "sync_folder", "rename", "unlink", "open", "truncate")
        return {call: self.random.choice((0.0, 0.05, 0.5)) for call in calls}

    def _fill_sensors_disk(self) -> None:
        """F4: ENOSPC in the middle of a write."""
        self.sensor.disk.capacity = self.sensor.disk.used + self.random.randint(0, 20_000)

    def _fill_centers_disk(self) -> None:
        """F4."""
        self.center.disk.capacity = self.center.disk.used + self.random.randint(0, 20_000)

    def _mend_disks(self) -> None:
        for disk in (self.sensor.disk, self.center.disk):
            disk.chances, disk.capacity = {}, 1 << 40

    def _rot(self) -> None:
        """F5: one bit of any file of the sensor."""
        files = self.sensor.disk.files()
        if files:
            at = self.random.random()
            bit = 1 << self.random.randrange(8)

            def flip(content: bytearray) -> None:
                content[int(at * len(content))] ^= bit

            self.sensor.disk.damage(self.random.choice(files), flip)

    def _lose_segment(self) -> None:
        """F5: a segment vanishes or is cut short. The newest one's end cannot be missed by anybody."""
        segments = [one for one in self.sensor.disk.files(".seg") if one != self._newest(one.parent.name)]
        if segments:
            lost = self.random.choice(segments)
            if self.random.random() < 0.5:
                self.sensor.disk.remove(lost)
            else:
                share = self.random.random()
                self.sensor.disk.damage(lost, lambda content: content.__delitem__(_tail(content, share)))

    def _newest(self, lane: str) -> object:
        return [one for one in self.sensor.disk.files(".seg") if one.parent.name == lane][-1]

    def _lose_small_file(self) -> None:
        """F5: the cursor or the epoch vanishes or is garbage."""
        files = [one for one in self.sensor.disk.files() if one.name in {"acked.json", "epoch"}]
        if files:
            lost = self.random.choice(files)
            if self.random.random() < 0.5:
                self.sensor.disk.remove(lost)
            else:
                garbage = self.random.randbytes(self.random.randrange(40))
                self.sensor.disk.damage(lost, lambda content: content.__setitem__(slice(None), garbage))

    def _cut_connection(self) -> None:
        """F6: bytes in flight are lost, cut anywhere."""
        self.link = None

    def _replay(self) -> None:
        """F6: a batch comes again, long after its turn."""
        if self.link is not None and self.link.seen and self.center.running:
            with_center = self.random.choice(self.link.seen)
            try:
                self.center.store(with_center)
            except Killed:
                self._lose_center(power=False)

    def _jump_clock(self) -> None:
        """F7."""
        self.clock.offset = timedelta(seconds=self.random.uniform(-86_400, 86_400))

    def _slow_center(self) -> None:
        """F8."""
        self._patience = self.random.choice((0.02, 0.2, 1.0))

    def _burst(self) -> None:
        """F10."""
        if self.sensor.core is not None:
            self.sensor.observe(self.random.randint(500, 3_000))

    def _change_key(self) -> None:
        """F12: the next connection shows a renewed certificate; the queue was filled under the old one."""
        self.sensor.key = SigningKey.generate()
        self.link = None

    # -- work

    def _work(self) -> None:
        if self.sensor.core is None and not self._start_sensor():
            return
        if not self.center.running and not self._start_center():
            self._sensor_alone()
            return
        try:
            self._sensor_alone()
            self._talk()
        except LiuheError:
            self.link = None  # a log that cannot be read now: the connection is tried again

    def _sensor_alone(self) -> None:
        if self.sensor.core is None:
            return
        try:
            self.sensor.observe(self.random.randint(0, 200))
            self.sensor.commit()
        except Killed:
            self._lose_sensor(power=False)

    def _talk(self) -> None:
        if self.sensor.core is None or self.random.random() > self._patience:
            return
        try:
            if self.link is None:
                self.link = Link(self.sensor, self.center, self.clock, self.random.choice((1, 4, 16)))
            self.link.sensor_turn()
        except (Killed, OSError) as error:
            self._sensor_failed(error)
            return
        for _ in range(self.random.randint(1, 4)):
            try:
                if not self.link.deliver_up(self.random.choice((1, 1_000, 100_000))):
                    self.link = None
                    return
            except Killed:
                self._lose_center(power=False)
                return
            try:
                self.link.deliver_down(self.random.choice((1, 30, 1_000)))
                self.link.sensor_turn()
            except (Killed, OSError) as error:
                self._sensor_failed(error)
                return

    def _sensor_failed(self, error: BaseException) -> None:
        if isinstance(error, Killed):
            self._lose_sensor(power=False)
        else:
            self.link = None

    def _start_sensor(self) -> bool:
        try:
            return self.sensor.start()
        except Killed:
            self._lose_sensor(power=False)
            return False

    def _start_center(self) -> bool:
        try:
            return self.center.start()
        except Killed:
            self._lose_center(power=False)
            return False

    def _lose_sensor(self, *, power: bool) -> None:
        self.link = None
        self.sensor.die(power=power)

    def _lose_center(self, *, power: bool) -> None:
        self.link = None
        self.center.die(power=power)

    # -- the end

    def _make_peace(self) -> None:
        """No fault any more: everything must be delivered in bounded time."""
        for disk in (self.sensor.disk, self.center.disk):
            disk.kill_at, disk.chances, disk.capacity = None, {}, 1 << 40
        self.link = None
        self._patience = 1.0
        for _ in range(DRAIN_STEPS):
            self.clock.seconds += 1.0
            if self.sensor.core is None:
                assert self.sensor.start()
            if not self.center.running:
                assert self.center.start()
            assert self.sensor.core is not None
            if self.link is None:
                self.sensor.observe(
                    50
                )  # in every lane: what a lane lost at its very end shows by what follows
                self.link = Link(self.sensor, self.center, self.clock, 16)
            self.sensor.commit()
            self.link.sensor_turn()
            assert self.link.deliver_up(1 << 30)
            self.link.deliver_down(1 << 30)
            if not (
                self.sensor.core.waiting or any(self.sensor.core.backlog().values()) or self.link.in_flight
            ):
                return
        raise AssertionError(f"not drained: {self.sensor.core.backlog() if self.sensor.core else None}")

    def _account(self) -> None:
        stored: set[str] = set()
        numbers: Counter[int] = Counter()
        gaps: list[Range] = []
        found: list[Event] = []
        undisturbed(self.center.disk, lambda: found.extend(self.center.stored()))
        for event in found:
            assert event.id not in stored, f"stored twice: {event.id}"
            stored.add(event.id)
            number = event.fields.get(NUMBER)
            if not isinstance(number, int):
                gaps.append(range_of(event))
                continue
            numbers[number] += 1
            assert numbers[number] == 1, f"number {number} is stored twice"
            assert event.fields[PADDING] == self.sensor.put[number], f"number {number} has a wrong payload"
        self._follow(gaps)
        for place, number in self.sensor.durable.items():
            if not numbers[number]:
                assert any(gap.holds(place) for gap in gaps), f"lost without a word: {number} at {place}"

    def _follow(self, gaps: list[Range]) -> None:
        """A gap record that the disk itself destroyed is accounted for by the one that says so."""
        known = set(gaps)
        grown = True
        while grown:
            grown = False
            for place, lost in self.sensor.durable_gaps.items():
                if lost not in known and any(one.reason == "damaged" and one.holds(place) for one in known):
                    known.add(lost)
                    gaps.append(lost)
                    grown = True


def _tail(content: bytearray, share: float) -> slice:
    return slice(int(len(content) * share), None)
