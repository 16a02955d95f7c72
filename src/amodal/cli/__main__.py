"""python -m amodal.cli."""

from amodal.cli import main

main()
