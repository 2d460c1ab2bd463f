"""The lead hub: receives submissions, makes leads of them, and gives each lead an owner."""

__version__ = "0.1.0"
