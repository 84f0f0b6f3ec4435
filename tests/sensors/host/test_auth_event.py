"""Authentication events of whole lines, also in GB 18030, and on a public OpenSSH log where it is at hand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensors.host.auth_event import describe_line

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LOGHUB = Path(__file__).resolve().parents[4] / "shared/data/host/loghub/OpenSSH/OpenSSH_2k.log"


def test_the_service_and_category_follow_the_program() -> None:
    event = describe_line(
        b"Nov 21 10:00:00 web-01 sshd[9]: Failed none for li from 10.0.0.8 port 5 ssh2\n", NOW
    )
    assert event is not None
    assert (event.logsource.service, event.logsource.category) == ("sshd", "authentication")
    assert event.fields["host.name"] == "web-01"
    assert event.native["Program"] == "sshd"
    other = describe_line(b"Nov 21 10:00:00 web-01 systemd-logind[9]: New session 3 of user li.", NOW)
    assert other is not None
    assert (other.logsource.service, other.logsource.category) == ("auth", "")


def test_a_message_in_gb18030_is_readable() -> None:
    line = "Nov 21 10:00:00 web-01 login[9]: 登录失败".encode("gb18030")
    event = describe_line(line, NOW)
    assert event is not None
    assert event.fields["message"] == "登录失败"


def test_a_public_log_is_read_line_by_line() -> None:
    if not LOGHUB.exists():
        pytest.skip("the loghub data set is not at hand")
    events = [describe_line(line, NOW) for line in LOGHUB.read_bytes().splitlines()]
    assert None not in events
    failed = [one for one in events if one and one.fields.get("event.outcome") == "failure"]
    assert len(failed) == 524  # "Failed password" 520 (5 repeated), "Failed none" 0, too many attempts 4
    assert all("source.ip" in one.fields for one in failed)
