"""The kinds of checks, as written: file name = config word."""
