"""The tether: one TCP connection per pair of nodes, whose end tells that a master died (ADR 18)."""
