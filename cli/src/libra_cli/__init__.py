"""The libra command."""
