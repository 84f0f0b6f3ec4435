"""The heartbeat says what the sensor is doing, in the fields that rules and console rely on."""

import threading
from pathlib import Path

from crypto import tls
from crypto.words import Words
from sensors.address import Address
from sensors.heartbeat import STATUS_NAME, Heartbeat, read_status, write_status
from sensors.source import Emit
from sensors.source_thread import SourceThread
from sensors.spool import Spool
from sensors.uplink import Uplink


class Lacking:
    """A source that cannot run here."""

    name = "capture:lo"

    def missing(self) -> Words | None:
        return Words("缺 CAP_NET_RAW", "CAP_NET_RAW is missing")

    def run(self, emit: Emit, stop: threading.Event) -> None:
        raise AssertionError


def test_the_facts_are_in_the_event_and_in_the_status_file(tmp_path: Path) -> None:
    quota = {"alerts": 1 << 20, "flows": 1 << 20, "bulk": 1 << 20}
    spool = Spool(tmp_path / "spool", sensor="web01", unit="u", quota_bytes=quota)
    uplink = Uplink(spool, [Address("::1", 1)], tls.unverified_context, kind="network", version="1.2")
    stop = threading.Event()
    source = SourceThread(Lacking(), spool.put, stop)
    source.start()
    while source.state == "starting":
        stop.wait(0.01)
    stop.set()
    source.join(2)
    source.state = "missing"
    heartbeat = Heartbeat(spool, uplink, [source], kind="network", version="1.2")
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
    write_status(tmp_path / "run", status)
    assert read_status(tmp_path / "run") == status
    (tmp_path / "run" / STATUS_NAME).write_bytes(b"{")
    assert read_status(tmp_path / "run") is None
