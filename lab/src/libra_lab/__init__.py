"""A real kernel with IPVS and real networks in one process tree."""
