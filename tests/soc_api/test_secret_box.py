"""Tests of soc_api.secret_box: what is sealed opens for its owner and purpose alone."""

import stat
from pathlib import Path

import pytest

from crypto.words import BadInput, LiuheError
from soc_api.secret_box import KEY_FILE, SecretBox, center_key


def test_a_secret_opens_for_its_owner_and_purpose_alone() -> None:
    box = SecretBox(bytes(32), "second factor")
    sealed = box.seal(b"a secret", "account:1")
    assert b"a secret".hex() not in sealed
    assert box.open(sealed, "account:1") == b"a secret"
    assert box.seal(b"a secret", "account:1") != sealed
    other = SecretBox(bytes(32), "webhook"), SecretBox(b"\x01" * 32, "second factor")
    for opener, text, about in (
        (box, sealed, "account:2"),
        (other[0], sealed, "account:1"),
        (other[1], sealed, "account:1"),
        (box, sealed[:-2] + ("00" if sealed[-2:] != "00" else "01"), "account:1"),
        (box, "zz", "account:1"),
        (box, "", "account:1"),
    ):
        with pytest.raises(LiuheError, match="secret-sealed"):
            opener.open(text, about)


def test_the_key_is_made_once_and_is_for_its_owner(tmp_path: Path) -> None:
    key = center_key(tmp_path)
    path = tmp_path / KEY_FILE
    assert center_key(tmp_path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("not hexadecimal\n")
    with pytest.raises(BadInput, match="center-key"):
        center_key(tmp_path)
