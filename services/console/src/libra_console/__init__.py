"""The operator's gateway: only publisher of config and operator events."""
