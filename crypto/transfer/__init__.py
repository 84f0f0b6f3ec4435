"""Transfers between networks as machines without files, sockets, clock or lot: commands in, effects out."""
