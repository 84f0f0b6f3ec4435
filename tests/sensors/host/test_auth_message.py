"""Messages of sshd, sudo, su, PAM and the account tools."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Value
from sensors.host.auth_message import read_message


@pytest.mark.parametrize(
    ("program", "message", "wanted"),
    [
        (
            "sshd",
            "Failed password for root from 203.0.113.9 port 22022 ssh2",
            {
                "event.outcome": "failure",
                "user.name": "root",
                "source.ip": "203.0.113.9",
                "source.port": 22022,
            },
        ),
        (
            "sshd",
            "Failed password for invalid user a from 10.0.0.1 port 1 from 203.0.113.9 port 2 ssh2",
            {"user.name": "a from 10.0.0.1 port 1", "source.ip": "203.0.113.9", "source.port": 2},
        ),
        (
            "sshd-session",
            "Accepted publickey for li from 2001:db8::1 port 40022 ssh2: ED25519 SHA256:x",
            {"event.outcome": "success", "source.ip": "2001:db8::1", "gov.login.method": "publickey"},
        ),
        (
            "sshd",
            "message repeated 2 times: [ Failed password for root from 203.0.113.9 port 22022 ssh2]",
            {"event.outcome": "failure", "user.name": "root"},
        ),
        (
            "sudo",
            "li : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/usr/bin/id -u",
            {"event.outcome": "failure", "event.reason": "user NOT in sudoers", "user.name": "li"},
        ),
        (
            "sudo",
            "li : TTY=pts/0 ; PWD=/home/li ; USER=root ; COMMAND=/bin/sh -c a ; b",
            {"event.outcome": "success", "process.command_line": "/bin/sh -c a ; b"},
        ),
        ("su", "FAILED SU (to root) li on pts/0", {"event.outcome": "failure", "gov.login.by": "li"}),
        ("su", "(to root) li on pts/0", {"event.outcome": "success", "user.name": "root"}),
        (
            "useradd",
            "new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/sh, from=none",
            {"event.action": "user-created", "user.target.name": "toor", "user.target.id": "0"},
        ),
        (
            "usermod",
            "add 'li' to group 'sudo'",
            {"event.action": "group-member-added", "user.target.name": "li", "group.name": "sudo"},
        ),
        (
            "login",
            "pam_unix(login:auth): authentication failure; logname= uid=0 tty=tty1 ruser= rhost=  user=li",
            {"event.outcome": "failure", "user.name": "li", "gov.login.service": "login"},
        ),
    ],
)
def test_what_is_read(program: str, message: str, wanted: dict[str, Value]) -> None:
    found = read_message(program, message)
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "message",
    [
        "Invalid user oracle from 203.0.113.9 port 22022",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9",
    ],
)
def test_lines_that_announce_a_failure_are_not_counted_as_one(message: str) -> None:
    found = read_message("sshd", message)
    assert found["source.ip"] == "203.0.113.9"
    assert "event.outcome" not in found


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["sshd", "sudo", "su", "useradd", "sshd(pam_unix)", "other"]),
    st.sampled_from(["", "Failed ", "Accepted ", "pam_unix(", "new user: ", " : ", "FAILED SU (to "]),
    st.text(max_size=120),
)
def test_any_message_is_read_without_an_error(program: str, start: str, rest: str) -> None:
    assert isinstance(read_message(program, start + rest), dict)
