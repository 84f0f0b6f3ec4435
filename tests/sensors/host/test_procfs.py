"""Process facts: hostile names, masked secrets, this very process."""

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host import procfs


def test_this_process_is_read() -> None:
    found = procfs.read_process(os.getpid())
    assert found is not None
    assert found.parent == os.getppid()
    assert found.user == os.getuid()
    assert found.executable == str(Path("/proc/self/exe").readlink())
    assert "python" in found.command_line


def test_a_process_that_is_gone_is_none(tmp_path: Path) -> None:
    assert procfs.read_process(1, tmp_path) is None


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields() -> None:
    raw = b"7 (evil) R 1 (x)) S 42 " + b"0 " * 17 + b"991 0\n"
    assert procfs.parse_stat(raw) == ("evil) R 1 (x)", 42, 991)


def test_secrets_on_the_command_line_are_masked() -> None:
    for given_words, wanted in (
        (("mysql", "-uroot", "-pSecret"), ("mysql", "-uroot", "-p***")),
        (("app", "--password", "Secret"), ("app", "--password", "***")),
        (("app", "--token=Secret", "x"), ("app", "--token=***", "x")),
        (("/usr/bin/sshpass", "-p", "Secret", "ssh"), ("/usr/bin/sshpass", "-p", "***", "ssh")),
        (("curl", "https://li:Secret@h/p"), ("curl", "https://li:***@h/p")),
        (("mkdir", "-p", "/a"), ("mkdir", "-p", "/a")),
    ):
        assert procfs.mask_secrets(given_words) == wanted


def test_a_long_command_line_is_bounded(tmp_path: Path) -> None:
    folder = tmp_path / "5"
    folder.mkdir()
    (folder / "cmdline").write_bytes(b"a\0" * 20_000)
    (folder / "stat").write_bytes(b"5 (a) S 1 " + b"0 " * 17 + b"9")
    found = procfs.read_process(5, tmp_path)
    assert found is not None
    assert found.truncated
    assert len(found.arguments) == procfs.ARGUMENTS_MAX


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(raw: bytes) -> None:
    procfs.parse_stat(raw)
    procfs.parse_uids(raw)
    assert all(isinstance(word, str) for word in procfs.parse_arguments(raw))
    procfs.mask_secrets(procfs.parse_arguments(raw))
