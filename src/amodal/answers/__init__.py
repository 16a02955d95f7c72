"""Answers of a fitted model: conditions, predictions, certainty, search, scores, pooling and splits."""

from amodal.answers.mixin import AnswersMixin
from amodal.answers.pooling import Pooled, pool
from amodal.answers.splitting import split, split_rows

__all__ = ["AnswersMixin", "Pooled", "pool", "split", "split_rows"]
