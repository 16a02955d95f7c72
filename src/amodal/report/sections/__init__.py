"""The report's parts, one file each: what is drawn of a model and what its metrics say."""
