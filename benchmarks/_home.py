"""Where benchmarks work: a home that is made for them and gone after. No benchmark itself, hence the `_`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from demo.desk import desk_server
from demo.retailer import generate
from ingest import DataIngestion, warehouse
from transform import runner


@contextmanager
def own_home(**variables: str) -> Iterator[Path]:
    """A new home, which is ``ANALYTICS_HOME`` meanwhile, beside other variables of the environment."""
    home = Path(tempfile.mkdtemp(prefix="analytics-bench-"))
    home.chmod(0o755)  # the server's user enters it where root measures
    with patch.dict(os.environ, {"ANALYTICS_HOME": str(home)} | variables):
        try:
            yield home
        finally:
            warehouse.stop()
            shutil.rmtree(warehouse.socket_folder(), ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)


def fill_with_demo(home: Path) -> None:
    """Land and build the demo's sources."""
    generate(home)
    with desk_server():
        list(DataIngestion().run())
    runner.build()
