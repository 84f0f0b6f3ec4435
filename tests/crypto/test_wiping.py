"""A wiped buffer keeps its length and nothing else."""

from crypto.wiping import wipe


def test_wipe() -> None:
    left, right = bytearray(b"secret"), bytearray()
    wipe(left, right)
    assert left == bytearray(6)
    assert right == bytearray()
