"""Events, subjects and config of LibrA as typed models."""
