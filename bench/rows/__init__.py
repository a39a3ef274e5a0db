"""One module per row; each has `ROW`."""
