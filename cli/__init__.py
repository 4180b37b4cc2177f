"""The ``analytics`` command: `main` has its verbs, a module each group of verbs that is long enough for one.

A verb is a thin door: it reads its options, calls what does the work, and says what came of it.
"""
