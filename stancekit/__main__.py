"""``python -m stancekit`` is the command ``stancekit``."""

from stancekit.cli import main

main()
