"""Content as data: Sigma rules, checklists, mappings, catalogues; shipped inside the wheel, read by path."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
