"""Reading saved authentication logs."""

import gzip
from pathlib import Path

import pytest

from crypto.words import BadInput
from sensors.host.read_log import read_auth_log

LINE = "Nov 21 10:00:00 web-01 sshd[9]: Failed password for 李 from 203.0.113.9 port 5 ssh2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("compressed", [False, True])
def test_encodings_and_gzip(tmp_path: Path, encoding: str, compressed: bool) -> None:
    data = LINE.encode(encoding) * 2
    path = tmp_path / "auth.log"
    path.write_bytes(gzip.compress(data) if compressed else data)
    events = list(read_auth_log(path))
    assert [one.fields["user.name"] for one in events] == ["李", "李"]


def test_foreign_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "secure"
    path.write_text(LINE + "what\n", "utf-8")
    events = list(read_auth_log(path))
    assert events[-1].fields["gov.gap.count"] == 1


def test_other_files_are_refused_with_their_name(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\x00\x01\n" * 10)
    with pytest.raises(BadInput) as caught:
        list(read_auth_log(path))
    assert caught.value.field == str(path)
    with pytest.raises(BadInput):
        list(read_auth_log(tmp_path / "absent"))


@pytest.mark.parametrize("compressed", [False, True])
def test_an_audit_log_is_known_by_its_first_line(tmp_path: Path, compressed: bool) -> None:
    line = "type=USER_AUTH msg=audit(1492037291.036:{}): pid=1 uid=0 msg='op=x acct=\"li\" res=failed'\n"
    data = (line.format(7) + line.format(9) + "what\n").encode()
    path = tmp_path / "audit.log"
    path.write_bytes(gzip.compress(data) if compressed else data)
    events = list(read_auth_log(path))
    assert [one.fields["event.dataset"] for one in events] == ["audit", "audit", "liuhe.gap", "liuhe.gap"]
    assert [one.fields["gov.gap.count"] for one in events[2:]] == [1, 1]
    assert events[0].fields["event.outcome"] == "failure"
