"""The only writer of the kernel's IPVS table."""
