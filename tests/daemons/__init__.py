"""Real servers as tests need them: one module a daemon, on loopback, in a directory of its own.

Each is a context manager that starts its daemon on a free port, waits until it answers, and stops
it by its process id. Where the tests run as root the daemon runs as `nobody`.
"""
