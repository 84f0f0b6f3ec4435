"""Domestic commercial cryptography: SM2, SM3, keys, certificates, Merkle primitives; leftmost of all."""
