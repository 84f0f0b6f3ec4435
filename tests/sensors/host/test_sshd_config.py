"""sshd_config as sshd reads it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.probe import HostFiles
from sensors.host.sshd_config import SshdConfig, read_config, split_line


def _read(root: Path, text: str, **parts: str) -> SshdConfig:
    folder = root / "etc/ssh/sshd_config.d"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "etc/ssh/sshd_config").write_text(text)
    for name, content in parts.items():
        (folder / f"{name}.conf").write_text(content)
    return read_config(HostFiles(root))


def test_the_first_value_counts_and_includes_are_in_place(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nPort 22\nPort=2222\n",
        a='PermitRootLogin "no"\n',
    )
    assert found.values["permitrootlogin"] == "no"
    assert found.ports == [22, 2222]
    assert found.values["maxauthtries"] == "6"


def test_a_match_block_ends_the_global_part(tmp_path: Path) -> None:
    found = _read(tmp_path, "Match User li\nPasswordAuthentication no\nMatch all\nX11Forwarding yes\n")
    assert found.values["passwordauthentication"] == "yes"
    assert found.values["x11forwarding"] == "yes"
    assert found.match_blocks == 2


def test_a_match_in_an_included_file_ends_with_it(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        "Include sshd_config.d/*.conf\nPermitRootLogin no\n",
        a="Match User li\nPermitRootLogin yes\n",
    )
    assert found.values["permitrootlogin"] == "no"


def test_an_include_of_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="deeper"):
        _read(tmp_path, "Include /etc/ssh/sshd_config\n")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_line_is_split(line: str) -> None:
    keyword, _ = split_line(line)
    assert keyword == keyword.lower()
