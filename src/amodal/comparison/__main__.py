"""`python -m amodal.comparison`: a process that fits and judges one method, which it is told through stdin."""

from amodal.comparison.trial import main

main()
