"""Groups of verbs of the ``analytics`` command that are long enough for a module of their own."""
