"""Readings, figures and pages of a result, in English and Indonesian."""
