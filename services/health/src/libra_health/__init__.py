"""Probes backends and publishes verdicts."""
