"""The Temporal engine: workflows decide when jobs run, SQL holds what is true.

Only `settings` does without the library; the rest is imported if the settings name this engine.
"""
