"""Fits the predictive score; needs numpy and is used by the command line alone, never by Lambda."""
