"""Demonstration of every use of a fitted model on one page: `make demo`."""
