"""HTTP/1.x as checks speak it: requests, heads, bodies, redirects; pure."""
