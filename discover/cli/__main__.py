"""`python -m discover.cli`: the command where no script is installed."""

from discover.cli import main

main()
