"""A log-in's two sides: the attempt without its secret, and what came of it."""

from base64 import b64encode

from converse import KEY

from sensors.network.login import attempt, decoded, outcome, plain_parts


def test_no_secret_is_told() -> None:
    said = attempt("ftp", "root", b"hunter2", KEY, method="LOGIN")
    assert "hunter2" not in repr(said)
    assert said.fields["gov.credential.shown"] == "******"
    assert said.fields["gov.credential.mark"]
    assert said.fields["gov.credential.clear"] is True
    assert not said.reply
    assert attempt("mysql", "root", b"", KEY).fields["gov.credential.clear"] is False


def test_an_outcome_is_the_servers() -> None:
    good, bad = outcome("ftp", "root", True), outcome("ftp", "root", False, "no")
    assert good.reply
    assert (good.fields["event.outcome"], bad.fields["event.outcome"]) == ("success", "failure")
    assert bad.fields["gov.login.said"] == "no"


def test_sasl_plain() -> None:
    assert plain_parts(b64encode(b"\0anna\0pw")) == ("anna", b"pw")
    assert plain_parts(b64encode(b"bert\0\0pw")) == ("bert", b"pw")
    assert plain_parts(b"***") is None
    assert plain_parts(b64encode(b"anna")) is None
    assert decoded(b"!") is None
