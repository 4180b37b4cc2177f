"""What an installation does beside making assets: run history, its upkeep, letters that are due.

=============  ====================================================================
`home`         Dagster's home in this installation, and its settings
`storage`      how the run history is written, and what runs say on a terminal
`history`      questions to the run history
`housekeeping` failed runs told by mail, dead ones ended, old ones removed
`forking`      how runs begin, and with what (`preloaded`)
`live`         what new files lead to at once, and which runs go first
`delivery`     the job and the sensor that send what is due
=============  ====================================================================

Which assets there are, and when they are made, is in `orchestration/`.
"""
