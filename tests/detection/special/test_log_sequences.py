"""Sessions of logs: staged sshd connections as OpenSSH writes them, what is told of odd ones, and memory."""

from collections.abc import Callable
from random import Random  # noqa: TID251 -- a seeded one

import msgspec
import pytest

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.log_sequences import LogSequencesDetector, LogSequencesParameters, Memory
from sensors.event import Event

Make = Callable[..., Event]
DAY = 86_400.0
OPEN = "pam_unix(sshd:session): session opened for user {u}(uid=1000) by {u}(uid=0)"
SHUT = "pam_unix(sshd:session): session closed for user {u}"
IN = "Accepted publickey for {u} from {a} port {p} ssh2: ED25519 SHA256:abc{p}"
OUT = (
    "Received disconnect from {a} port {p}:11: disconnected by user",
    "Disconnected from user {u} {a} port {p}",
)
FAIL = "Failed password for {u} from {a} port {p} ssh2"
PASS = "Accepted password for {u} from {a} port {p} ssh2"
GONE = "Connection closed by authenticating user {u} {a} port {p} [preauth]"
USUAL = [(IN, OPEN, *OUT, SHUT), (PASS, OPEN, *OUT, SHUT), (FAIL, PASS, OPEN, *OUT, SHUT), (FAIL, FAIL, GONE)]


class Host:
    """Writes sshd's lines of one connection after another."""

    def __init__(self, make: Make, name: str = "web-01") -> None:
        self.make, self.name, self.pid, self.lot = make, name, 1000, Random(3)

    def session(self, at: float, lines: tuple[str, ...], pause: float = 2.0) -> list[Event]:
        self.pid += 1
        values = {
            "u": self.lot.choice(["zhang", "li", "wang"]),
            "a": f"10.0.0.{self.lot.randrange(9)}",
            "p": self.pid,
        }
        return [
            self.make(
                at + n * pause,
                "auth.log",
                {
                    "message": text.format(**values),
                    "process.name": "sshd",
                    "process.pid": self.pid,
                    "host.name": self.name,
                },
                product="linux",
            )
            for n, text in enumerate(lines)
        ]

    def days(self, days: float, start: float = 0.0, every: float = 300.0) -> list[Event]:
        return [
            event
            for n in range(int(days * DAY / every))
            for event in self.session(start + n * every, self.lot.choices(USUAL, (8, 4, 2, 1))[0])
        ]

    def beat(self, at: float) -> Event:
        return self.make(at, "liuhe.heartbeat", {"host.name": self.name}, product="liuhe")


@pytest.fixture(scope="module")
def parameters(special: SpecialParameters) -> LogSequencesParameters:
    return special.log_sequences


@pytest.fixture(scope="module")
def learned(parameters: LogSequencesParameters, make_all: Make) -> bytes:
    """The memory after four benign days, told nothing."""
    detector = LogSequencesDetector(parameters)
    assert detector.feed(Host(make_all).days(4)) == []
    return msgspec.msgpack.encode(detector.memory())


def taught(parameters: LogSequencesParameters, learned: bytes) -> LogSequencesDetector:
    detector = LogSequencesDetector(parameters)
    detector.remember(msgspec.msgpack.decode(learned, type=Memory))
    return detector


@pytest.mark.parametrize(
    ("lines", "zh", "en"),
    [
        ((PASS, *OUT), "缺少“pam_unix(sshd:session): session opened", "is missing"),
        (
            (IN, "fatal: buffer_get_string: bad string length", OPEN, *OUT, SHUT),
            "首次出现“fatal:",
            "first time",
        ),
        ((*(FAIL,) * 6, PASS, OPEN, *OUT, SHUT), "出现 6 次", "6 times"),
        ((OPEN, IN, *OUT, SHUT), "首次以“pam_unix", "as the first line"),
    ],
)
def test_an_odd_session_is_told_with_its_oddity(
    parameters: LogSequencesParameters, learned: bytes, make: Make, lines: tuple[str, ...], zh: str, en: str
) -> None:
    detector, host = taught(parameters, learned), Host(make)
    (alert,) = detector.feed([*host.session(4 * DAY, lines), host.beat(4 * DAY + 400)])
    assert (alert.rule, alert.entity, len(alert.events)) == ("special.log-sequence", "host:web-01", 2)
    assert zh in alert.reason.zh
    assert en in alert.reason.en
    assert "已学习的 1152 次" in alert.reason.zh


def test_benign_days_and_a_young_source_say_nothing(
    parameters: LogSequencesParameters, learned: bytes, make: Make
) -> None:
    host = Host(make)
    assert taught(parameters, learned).feed(host.days(3, 4 * DAY)) == []
    young, odd = LogSequencesDetector(parameters), ("segfault at boot", "core dumped")
    assert young.feed([*host.session(0, odd), *host.days(1, 60), *host.session(DAY + 60, odd[::-1])]) == []


def test_an_oddity_has_a_budget_and_is_learned_when_it_stays(
    parameters: LogSequencesParameters, learned: bytes, make: Make
) -> None:
    detector, host = taught(parameters, learned), Host(make)
    update = (IN, OPEN, "Starting session: shell on pts for someone", *OUT, SHUT)
    told = []
    for day in range(4, 10):
        for n in range(5):
            told += detector.feed(host.session(day * DAY + n * 600, update))
    assert len(told) == parameters.accepted_days
    many = [" ".join([chr(97 + n) * 4] * 5) for n in range(20)]
    events = [e for n, text in enumerate(many) for e in host.session(11 * DAY + n * 200, (IN, text, *OUT))]
    assert len(detector.feed([*events, host.beat(12 * DAY)])) == parameters.per_day
    others = [Host(make, f"web-{n:02}") for n in range(9)]
    new = [e for other in others for e in other.session(13 * DAY, (IN, "unknown mode", OPEN, *OUT, SHUT))]
    hosts = {alert.entity for alert in detector.feed([*new, host.beat(14 * DAY)])}
    assert len(hosts) == parameters.hosts_per_day


def test_what_is_learned_outlives_the_process_to_the_bit(
    parameters: LogSequencesParameters, make: Make
) -> None:
    host = Host(make)
    events = host.days(4.5, every=600)
    odd = [*host.session(4.5 * DAY, (PASS, *OUT)), host.beat(5 * DAY)]
    whole = Durable(LogSequencesDetector(parameters), seconds=0)
    told = whole.feed([*events, *odd])
    first = Durable(LogSequencesDetector(parameters), seconds=0)
    assert first.feed(events[:2000]) == []
    kept = first.snapshot()
    assert kept is not None
    second = Durable(LogSequencesDetector(parameters), seconds=0)
    second.recall(kept)
    assert second.feed([*events[1500:], *odd]) == told != []
    assert second.snapshot() == whole.snapshot()


def test_a_wrong_phrase_table_is_refused(parameters: LogSequencesParameters) -> None:
    raw = msgspec.to_builtins(parameters)
    del raw["phrases"]["span"]
    with pytest.raises(msgspec.ValidationError, match="span"):
        msgspec.convert(raw, LogSequencesParameters)
