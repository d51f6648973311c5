"""Clients that nobody likes, against a live service of ours on loopback."""
