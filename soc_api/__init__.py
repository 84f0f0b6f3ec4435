"""Show and control: the center's processes, ingest listener, API and console."""
