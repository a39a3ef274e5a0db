"""Webhook, e-mail and program notifications, at least once."""
