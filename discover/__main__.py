"""`python -m discover`: the command line, where its script is not on the PATH."""

from discover.cli import main

if __name__ == "__main__":
    main()
