"""What every LibrA service shares at its edge: journal, logs, metrics, run loop."""
