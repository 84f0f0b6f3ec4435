"""Many conditions on many events at once: an index prunes, the plain matcher decides."""
