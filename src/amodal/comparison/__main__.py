"""Worker process of one trial: `python -m amodal.comparison`, with a pickled `Trial` on stdin."""

from amodal.comparison.trial import main

main()
