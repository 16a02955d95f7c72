"""The page of an evaluation: what was found, and what was drawn, for a person to look at."""

from amodal.report.page.writing import write_page

__all__ = ["write_page"]
