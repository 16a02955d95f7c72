"""Answers of a fitted model: conditions, predictions, certainty, search, scores, pooling and splits."""
