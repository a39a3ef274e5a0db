"""Owns the virtual addresses: VRRP, gratuitous ARP, leased addresses."""
