"""The host's packet filter, as far as it decides on what real servers answer."""
