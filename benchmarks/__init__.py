"""Measurements: what amodal is worth, and what it costs."""
