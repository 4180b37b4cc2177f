"""The server: dashboards, archived reports and the API over the marts and metrics (`analytics serve`).

Its SQL is the reader's, which cannot write; who may log in stands in tables that only the role `access` sees.
"""
