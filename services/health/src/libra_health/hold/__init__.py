"""Holds: TCP connections kept open, whose end tells at once that a server is gone."""
