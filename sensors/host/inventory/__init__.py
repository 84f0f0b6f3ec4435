"""Inventory of a host: what it is made of, kind by kind, and every change of it."""
