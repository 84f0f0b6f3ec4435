"""Reading a saved audit log: its own kind is known, and everything in it is told."""

from sensors.host.audit.read import is_audit, read_audit

LINE = b"node=web-02 type=USER_LOGIN msg=audit(1.0:3): pid=1 uid=0 msg='op=login acct=\"li\" res=success'\n"


def test_the_kind_of_a_log() -> None:
    assert is_audit(LINE)
    assert is_audit(b"type=SYSCALL msg=audit(1.0:1): a=1")
    assert not is_audit(b"Nov 22 09:08:07 web-01 sshd[1]: x")
    assert not is_audit(b"")


def test_the_node_is_the_host() -> None:
    (event,) = read_audit([LINE, b"\n"], "audit.log")
    assert event.fields["host.name"] == "web-02"
    assert event.fields["event.action"] == "logged-in"
