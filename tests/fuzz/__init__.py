"""Hostile bytes for what reads them first: the targets, and a run that follows the coverage."""
