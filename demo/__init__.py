"""The demo: a small retailer's files, database and API. Nothing of the platform depends on it."""
