"""The verbs of the lake: the move from Postgres to Apache Spark, and the proof that both agree."""

import click


@click.group()
def lake() -> None:
    """The files of target spark: move there, and compare (docs/scale.md)."""


@lake.command("copy")
def copy() -> None:
    """Write all that landed in Postgres into the lake, in the place of what is there.

    Example: analytics lake copy
    """
    from ingest import warehouse
    from ingest.lake import copy_landing
    from ingest.ledger import open_ledger

    with open_ledger() as ledger:  # nothing lands meanwhile
        ledger.recover()
        copy_landing()
    click.echo(f"Copied: {warehouse.lake()}")


@lake.command("compare")
def compare() -> None:
    """Compare every table of the models in Postgres with that in the lake, cell by cell.

    Example: analytics lake compare
    """
    from ingest.comparison import compare as compare_tables
    from ingest.comparison import summary

    compared = []
    for table in compare_tables():
        compared.append(table)
        if table.difference:
            click.secho(f"{table.table}: {table.difference}", fg="red")
    click.echo(summary(compared))
    if any(table.difference for table in compared):
        raise SystemExit(1)
