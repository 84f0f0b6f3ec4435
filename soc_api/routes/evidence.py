"""The evidence ledger: its newest records, its checkpoint, and the whole of it recomputed."""
