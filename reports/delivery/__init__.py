"""From a finished report, or something wrong, to those who should know of it.

=================  ===================================================================
`terms`            what an exposure says of its delivery
`recipients`       who is in which group, and where mail may go at all
`conditions`       whether a report should go out now
`compose`          the letter of a report: its figures, charts and files
`letter`           a letter as it is kept, and as a mail
`channels, smtp`   how a letter is handed over: mail, webhook, folder
`outbox`           `ops.deliveries`: who was sent what, and what may happen to it next
`sending`          what is due in the outbox, through its channels
`dispatch`         a report to all its recipients: one for all, or one for each store
`alerts`           what is wrong with the data, told once to who owns it
=================  ===================================================================
"""
