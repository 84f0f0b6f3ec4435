"""Passphrases: by descriptor, credential, terminal; bounded, wiped, and asked of nobody else."""

import os
import pty
import termios
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import passphrase
from crypto.passphrase import BYTES_MAX, CREDENTIAL, Passphrase, ask, from_descriptor, obtain
from crypto.words import BadInput, LiuheError, Words


def through_pipe(data: bytes) -> Passphrase:
    reader, writer = os.pipe()
    try:
        os.write(writer, data)
        os.close(writer)
        return from_descriptor(reader)
    finally:
        os.close(reader)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=BYTES_MAX + 10))
def test_a_descriptor_gives_its_first_line_or_bad_input(data: bytes) -> None:
    line = data.split(b"\n")[0]
    if 1 <= len(line) <= BYTES_MAX and b"\0" not in line:
        assert through_pipe(data) == line
    else:
        with pytest.raises(BadInput, match="passphrase-malformed"):
            through_pipe(data)


def test_it_is_zeros_afterwards_and_never_shown() -> None:
    secret = through_pipe(b"open sesame\nmore")
    with secret as inside:
        assert inside == b"open sesame"
        assert "sesame" not in repr(secret)
    assert secret == bytes(len(b"open sesame"))


def test_a_closed_descriptor_is_named() -> None:
    with pytest.raises(BadInput, match="passphrase-descriptor"):
        from_descriptor(1_000)


def test_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / CREDENTIAL).write_bytes(b"out of the unit\n")
    assert obtain() == b"out of the unit"
    (tmp_path / "other").write_bytes(b"another one")
    assert obtain(credential="other") == b"another one"
    (tmp_path / "link").symlink_to(tmp_path / "other")
    with pytest.raises(LiuheError, match="passphrase-credential"):
        obtain(credential="link")


def test_a_new_one_has_a_least_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / CREDENTIAL).write_bytes(b"short")
    assert obtain() == b"short"
    with pytest.raises(BadInput, match="passphrase-malformed"):
        obtain(new=True)


def test_names_of_credentials_do_not_leave_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "in"))
    asked: list[Words] = []
    monkeypatch.setattr(
        passphrase, "from_terminal", lambda purpose, twice: asked.append(purpose) or Passphrase(b"x")
    )
    obtain(credential="../secret")
    assert asked


def test_without_a_terminal_the_other_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def none(*given: object, **named: object) -> int:
        raise OSError(6, "no such device")

    monkeypatch.setattr(passphrase.os, "open", none)
    with pytest.raises(LiuheError, match="passphrase-unavailable"):
        obtain()


def test_the_terminal_is_silent_while_it_asks_and_restored_after() -> None:
    master, terminal = pty.openpty()
    try:
        before = termios.tcgetattr(terminal)[3]
        heard: list[bytes] = []

        def type_it() -> None:
            heard.append(os.read(master, 100))
            heard.append(bytes((termios.tcgetattr(terminal)[3] & termios.ECHO != 0,)))
            os.write(master, b"typed by hand\n")

        typist = threading.Thread(target=type_it)
        typist.start()
        secret = ask(terminal, Words("口令:", "Passphrase: "))
        typist.join()
        assert secret == b"typed by hand"
        assert heard[1] == b"\0"
        assert termios.tcgetattr(terminal)[3] == before
        assert b"typed" not in os.read(master, 100)
    finally:
        os.close(master)
        os.close(terminal)


def test_twice_must_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter([b"a long one here", b"another one here", b"a long one here", b"a long one here"])
    monkeypatch.setattr(passphrase, "ask", lambda terminal, prompt: Passphrase(next(given)))
    monkeypatch.setattr(passphrase.os, "open", lambda *_: os.dup(0))
    with pytest.raises(BadInput, match="passphrase-malformed"):
        obtain(new=True)
    assert obtain(new=True) == b"a long one here"
