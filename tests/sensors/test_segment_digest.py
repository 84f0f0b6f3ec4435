"""The digest beside the commits is the digest of what was taken, in order."""

from crypto import sm3
from sensors.segment_digest import PIECE_BYTES_MIN, RunningDigest


def test_small_and_large_pieces_are_taken_in_order() -> None:
    pieces = [b"head", b"a" * PIECE_BYTES_MIN, b"b", b"c" * (3 * PIECE_BYTES_MIN), b"d" * PIECE_BYTES_MIN]
    running = RunningDigest()
    for count, piece in enumerate(pieces, start=1):
        running.update(piece)
        if count == 3:
            assert running.digest() == sm3.sm3(b"".join(pieces[:3]))
    assert running.digest() == sm3.sm3(b"".join(pieces))


def test_nothing_taken_is_the_digest_of_nothing() -> None:
    assert RunningDigest().digest() == sm3.sm3(b"")


def test_two_segments_do_not_mix() -> None:
    one, other = RunningDigest(), RunningDigest()
    for number in range(8):
        one.update(bytes([number]) * PIECE_BYTES_MIN)
        other.update(b"x" * PIECE_BYTES_MIN)
    assert one.digest() == sm3.sm3(b"".join(bytes([number]) * PIECE_BYTES_MIN for number in range(8)))
    assert other.digest() == sm3.sm3(b"x" * PIECE_BYTES_MIN * 8)
