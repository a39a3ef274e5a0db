"""Benchmarks: LibrA and its peers side by side, alternating, on one machine in one run."""
