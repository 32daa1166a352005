"""discover: finds the scaling law behind a table of training runs."""

__version__ = "0.1.0"
