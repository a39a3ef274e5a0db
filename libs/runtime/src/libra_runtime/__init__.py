"""What every LibrA service shares at its edge: journal, logs, metrics, run loop."""

VERSION = "0.1.0"
"""Release; stated in node.started and compared with pyproject.toml by a test."""
