"""The heartbeat says what the sensor is doing, in the fields that rules and console rely on."""

import threading
from pathlib import Path

from crypto.words import Words
from sensors.heartbeat import STATUS_NAME, Facts, Heartbeat, read_status, write_status
from sensors.source import Emit
from sensors.source_thread import SourceThread
from sensors.spool import Spool


class Lacking:
    """A source that cannot run here."""

    name = "capture:lo"

    def missing(self) -> Words | None:
        return Words("缺 CAP_NET_RAW", "CAP_NET_RAW is missing")

    def run(self, emit: Emit, stop: threading.Event) -> None:
        raise AssertionError


class Linked:
    """An uplink that is up."""

    connected = True
    state = Words("已连接", "connected")


def test_the_facts_are_in_the_event_and_in_the_status_file(tmp_path: Path) -> None:
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(tmp_path / "spool", sensor="web01", unit="u", quota_bytes=quota)
    stop = threading.Event()
    source = SourceThread(Lacking(), spool.put, stop)
    source.start()
    while source.state == "starting":
        stop.wait(0.01)
    stop.set()
    source.join(2)
    source.state = "missing"
    facts = Facts(configuration=7, certificate_expires="2027-01-01T00:00:00+00:00")
    heartbeat = Heartbeat(
        spool, Linked(), lambda: [source], kind="network", version="1.2", facts=lambda: facts
    )
    status = heartbeat.status()
    seen = heartbeat.observation(status)
    spool.put([seen], wait=True)
    assert heartbeat.status().backlog["alerts"] == 1
    spool.close()
    assert (seen.lane, seen.logsource.product, seen.logsource.service) == ("alerts", "liuhe", "sensor")
    fields = seen.fields
    assert fields["event.dataset"] == "liuhe.heartbeat"
    assert fields["gov.sensor.kind"] == "network"
    assert fields["gov.sensor.sources"] == ["capture:lo=missing"]
    assert fields["gov.sensor.source_details"] == ["capture:lo=缺 CAP_NET_RAW|CAP_NET_RAW is missing"]
    assert isinstance(fields["gov.sensor.rss_bytes"], int)
    assert (fields["gov.sensor.connected"], fields["gov.sensor.configuration"]) == (True, 7)
    assert fields["gov.sensor.certificate_expires"] == facts.certificate_expires
    assert (fields["gov.sensor.epoch"], fields["gov.sensor.drops"]) == (spool.epoch, [])
    assert fields["gov.sensor.last_sequence"] == ["alerts=0", "flows=0", "bulk=0"]
    write_status(tmp_path / "run", status)
    assert read_status(tmp_path / "run") == status
    (tmp_path / "run" / STATUS_NAME).write_bytes(b"{")
    assert read_status(tmp_path / "run") is None
