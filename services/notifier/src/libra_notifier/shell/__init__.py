"""Everything here awaits, opens, reads a clock or rolls dice."""
