"""gmssl-pyx: its limits are refused in words, and its traces do not reach standard error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto import sm2
from crypto.backends.native import PLAIN_BYTES_MAX, Native
from crypto.words import Refused

BACKEND = Native()
KEY = sm2.Sm2PrivateKey.generate(backend=BACKEND)


def test_texts_over_its_limit_are_refused() -> None:
    longest = bytes(PLAIN_BYTES_MAX)
    assert KEY.decrypt(KEY.public.encrypt(longest)) == longest
    with pytest.raises(Refused, match="backend-lacks"):
        KEY.public.encrypt(longest + b".")
    long = sm2.Sm2PublicKey(KEY.public.point).encrypt(longest + b".")
    with pytest.raises(Refused, match="backend-lacks"):
        KEY.decrypt(long)


def test_a_key_without_its_point_is_refused() -> None:
    with pytest.raises(Refused, match="backend-lacks"):
        sm2.Sm2PrivateKey.from_scalar(bytes(31) + b"\x05", backend=BACKEND)


def test_no_trace_reaches_standard_error_and_other_lines_do(tmp_path: Path) -> None:
    script = (
        "import os, threading\n"
        "from crypto import sm2\n"
        "from crypto.backends.native import Native, _without_traces\n"
        "from crypto.words import LiuheError\n"
        "key = sm2.Sm2PrivateKey.generate(backend=Native())\n"
        "for attempt in range(20):\n"
        "    try:\n"
        "        key.public.verify(b'text', bytes([1]) * 64)\n"
        "    except LiuheError:\n"
        "        pass\n"
        "    try:\n"
        "        key.decrypt(sm2.Sm2PrivateKey.generate().public.encrypt(b'text'))\n"
        "    except LiuheError:\n"
        "        pass\n"
        "with _without_traces():\n"
        "    os.write(2, b'a line of somebody else\\n')\n"
        "os.write(2, b'last\\n')\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"a line of somebody else\nlast\n"
