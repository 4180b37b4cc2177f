"""A source whose files a test writes, and what landed of it; several may share a warehouse."""

from pathlib import Path
from typing import Any

from conftest import select
from ingest import DataIngestion, Outcome


class Shop:
    """One source: its files lie in ``folder``, ``sources`` describes it."""

    def __init__(self, home: Path, folder: Path, name: str) -> None:
        self.home, self.folder, self.name = home, folder, name
        self.sources = folder / "sources.yml"

    def write(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def ingest(self, **start: Any) -> Outcome:
        (outcome,) = DataIngestion(self.sources).run(**start)
        return outcome

    def landed(self, columns: str, entity: str) -> list[tuple[Any, ...]]:
        return select(
            self.home,
            f"select {columns} from staging.{entity} where source_name = '{self.name}'"
            " order by load_id, source_line, 1",
            "loader",
        )

    def loads(self, columns: str) -> list[tuple[Any, ...]]:
        sql = f"select {columns} from ops.loads where source_name = '{self.name}' order by load_id"
        return select(self.home, sql)
