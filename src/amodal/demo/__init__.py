"""The tour of `make demo`."""
