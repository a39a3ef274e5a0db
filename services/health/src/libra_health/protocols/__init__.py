"""Protocols as checks speak them, to and from bytes; pure. HTTP/1.x has a room of its own, `http`.

The one rule: whatever a backend sends is what it says, too little yet, or wrong by name, and what
is kept while waiting is bounded. Nothing is imported here: `http2` and `dns_answer` are slow to.
"""
