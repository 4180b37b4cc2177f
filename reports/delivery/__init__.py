"""From a finished report, or a failure, to those who should know of it."""
