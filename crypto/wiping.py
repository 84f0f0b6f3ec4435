"""Overwriting secrets in memory, as far as this runtime allows.

A ``bytearray`` can be overwritten; ``bytes`` cannot, and neither can numbers or copies that libraries made.
So wiping shortens how long a secret lies in memory; it is no promise that none is left.
"""


def wipe(*buffers: bytearray) -> None:
    """Fill each buffer with zeros; its length stays."""
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))
