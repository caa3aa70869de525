"""Engines: when and where jobs run. SQL holds the truth with every engine."""
