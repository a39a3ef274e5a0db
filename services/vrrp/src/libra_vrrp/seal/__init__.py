"""Sealed heartbeats: adverts in AEAD datagrams that prove their freshness (ADR 12)."""
