"""Benchmarks of quality and speed; see README.md."""
