"""The dashboard: its definitions (`board.yml`), the data of its page (`cells.py`), the page (`page.py`) and
its script (`script/`).

Python says what there is and reads the warehouse; the script adds up, draws and answers. The page works as a
file, with its data inside, and live when a server lies behind it.
"""
