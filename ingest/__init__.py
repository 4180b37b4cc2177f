"""Source to staging. What decides where rows land, and nothing about models, schedules or reports."""
