"""What Prometheus sees of the notifier."""

from prometheus_client import Counter, Gauge

ATTEMPTS = Counter("libra_notifier_attempts", "Attempts to tell an event", ["sink", "result"])
OPEN = Gauge("libra_notifier_open", "Events of a sink that wait or are being told", ["sink"])
