"""Tables to try amodal on, made here and now."""
