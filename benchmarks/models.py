"""What adding one day to a long history costs the models: 1, 5 and 10 million lines, beside hand-written SQL.

The day has 2,700 lines: mostly new ones, some late, corrected and deleted, with new customers, counts of the stock and
changed costs. Measured is ``dbt build`` with all tests, in this process. Limits: at 10 million lines at most 1.3 times
the time at 1 million; beyond what a build costs in which nothing is new, at most 3 times the hand-written SQL. The
latter is of the models that this SQL fills; what analyses them is left out there (`make bench BENCH=metrics`).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from benchmarks import metrics
from benchmarks._home import own_home
from ingest import staging, warehouse
from ingest.ledger import open_ledger
from transform import runner

LINES_OF_A_DAY = 2_700
DAYS = {"1 M": 370, "5 M": 1_852, "10 M": 3_704}
REPEATS = 3
MOST_AT_10_M, MOST_BESIDE_SQL = 1.3, 3.0
STAR = ["--exclude", *metrics.MODELS]  # what the hand-written SQL fills

# A line is a function of its day and number, so that a correction can repeat it. Customers grow with the days.
LINE = """
select
    'L' || day || '-' || n as sale_code,
    'T' || day || '-' || n / 3 as transaction_code,
    'P' || (power(abs(hashint4(day * 3001 + n) % 10000) / 10000.0, 2) * 5000)::int as product_code,
    'C' || abs(hashint4(day * 7919 + n)) % (2000 + day * 25) as customer_code,
    'S' || n % 5 as store_code,
    'H' || n % 3 as channel_code,
    timestamp '2016-01-01 08:00' + day * interval '1 day' + n * interval '12 seconds' as sold_at,
    1 + n % 4 {change} as quantity,
    5 + n % 90 as unit_price,
    (1 + n % 4 {change}) * (5 + n % 90) as total_amount,
    'shop' as source_name,
    'sales-' || {load_id} || '.csv' as source_file,
    row_number() over (order by day, n) + {offset} as source_line,
    {load_id} as load_id,
    timestamp '2016-01-02' + {landed} * interval '1 day' as loaded_at,
    hashtextextended({load_id} || '-' || day || '-' || n, 0) as row_hash,
    {deleted} as is_deleted
from {lines}
"""
COLUMNS = (
    "sale_code, transaction_code, product_code, customer_code, store_code, channel_code, sold_at, quantity,"
    " unit_price, total_amount, source_name, source_file, source_line, load_id, loaded_at, row_hash, is_deleted"
)


def execute(role: warehouse.Role, *statements: str) -> None:
    """Run statements in one transaction."""
    with closing(warehouse.connect(role)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def ledger(load_id: int, entity: str) -> str:
    """The ledger's row of a load, from what landed."""
    amount = "sum(total_amount)" if entity == "sales" else "null"
    return f"""
        insert into ops.loads (load_id, source_name, feed_name, entity, source_file, state, rows_read,
            rows_accepted, rows_rejected, rows_new, amount_accepted, started_at, finished_at)
        select {load_id}, 'shop', '{entity}', '{entity}', '{entity}-{load_id}.csv', 'loaded', count(*),
            count(*), 0, count(*), {amount}, now(), now()
        from staging.{entity} where load_id = {load_id}
    """


class History:
    """What has landed so far; loads are numbered in their order."""

    def __init__(self) -> None:
        self.load_id = 0
        self.days = 0

    def extend(self, days: int) -> None:
        """Land whole days up to a number of days, thirty in a load, and all members."""
        while self.days < days:
            first, self.days = self.days, min(self.days + 30, days)
            self.land("sales", partial(self.sales, lines_of=self.numbers(first, self.days)))
            self.land("inventory", partial(self.counts, first=first))
        self.land("products", partial(self.products, numbers="generate_series(0, 5000)"))
        self.land("customers", self.customers)
        execute("loader", "analyze")

    def add_a_day(self) -> None:
        """Land one day as sources do: new lines, a few late, corrected and deleted ones, counts, costs."""
        day, self.days = self.days, self.days + 1
        late = f"(select {day} - 3 - n % 5 as day, 10000 + {day} + n as n from generate_series(1, 50) as n)"
        corrected = f"(select {day} - 1 - n % 60 as day, n from generate_series(1, 30) as n)"
        gone = f"(select {day} - 2 - n % 60 as day, n from generate_series(40, 59) as n)"

        def sales(load_id: int) -> str:
            new = self.numbers(day, self.days, LINES_OF_A_DAY - 100)
            return ";".join(
                [
                    self.sales(load_id, new),
                    self.sales(load_id, f"{late} as late", 10_000),
                    self.sales(load_id, f"{corrected} as corrected", 20_000, change="+ 1"),
                    self.sales(load_id, f"{gone} as gone", 30_000, deleted="true"),
                ]
            )

        self.land("sales", sales)
        self.land("inventory", partial(self.counts, first=day))
        some = f"generate_series({day % 100}, {day % 100 + 19})"
        self.land("products", partial(self.products, numbers=some, cost=3))

    def sales(
        self, load_id: int, lines_of: str, offset: int = 0, change: str = "", deleted: str = "false"
    ) -> str:
        """An insert of sale lines of days and numbers."""
        select = LINE.format(
            load_id=load_id, landed=self.days, lines=lines_of, offset=offset, change=change, deleted=deleted
        )
        return f"insert into staging.sales ({COLUMNS}) {select}"

    def counts(self, load_id: int, first: int) -> str:
        """An insert of counts of the stock from a first day on."""
        rows = (
            f"select 'P' || n * 100, date '2016-01-01' + day, (n * day) % 500"
            f" from generate_series({first}, {self.days - 1}) as day, generate_series(0, 49) as n"
        )
        return self.members("inventory", "product_code, stock_date, stock_level", rows, load_id)

    def products(self, load_id: int, numbers: str, cost: int = 2) -> str:
        """An insert of products."""
        rows = f"select 'P' || n, 'Product ' || n, 'Category ' || n % 12, {cost} + n % 40 from {numbers} as n"
        return self.members("products", "product_code, product_name, category, unit_cost", rows, load_id)

    def customers(self, load_id: int) -> str:
        """An insert of all customers there are so far."""
        numbers = f"generate_series(0, {2000 + self.days * 25})"
        rows = f"select 'C' || n, 'Name ' || n, 'GB' from {numbers} as n"
        return self.members("customers", "customer_code, last_name, country", rows, load_id)

    def members(self, entity: str, columns: str, rows: str, load_id: int) -> str:
        """An insert of rows that are not sales."""
        return f"""
            insert into staging.{entity}
                ({columns}, source_name, source_file, source_line, load_id, loaded_at, row_hash)
            select rows.*, 'shop', '{entity}-{load_id}.csv', row_number() over (order by 1), {load_id},
                timestamp '2016-01-02' + {self.days} * interval '1 day', hashtextextended(rows::text, 0)
            from ({rows}) as rows
        """

    def land(self, entity: str, insert: Callable[[int], str]) -> None:
        """Land one load."""
        self.load_id += 1
        execute("loader", insert(self.load_id), ledger(self.load_id, entity))

    @staticmethod
    def numbers(first: int, last: int, lines_of_a_day: int = LINES_OF_A_DAY) -> str:
        """Days and numbers of the lines of whole days."""
        return (
            f"(select day, n from generate_series({first}, {last - 1}) as day,"
            f" generate_series(1, {lines_of_a_day}) as n) as numbers"
        )


# What a person would write for the same day: keys, members, facts, both metrics; no checks, no history.
HAND_WRITTEN = """
create temp table newest on commit drop as
select distinct on (source_name, sale_code) * from staging.sales
where load_id > {since} order by source_name, sale_code, load_id desc, source_line desc;
analyze newest;
insert into intermediate.int_customer_keys (customer_id, customer_code, load_id, loaded_at)
select (select max(customer_id) from intermediate.int_customer_keys) + row_number() over (), customer_code, {since}, now()
from (select distinct customer_code from newest) as codes
where not exists (select 1 from intermediate.int_customer_keys as k where k.customer_code = codes.customer_code);
insert into marts.dim_customers (customer_id, customer_code, is_inferred, is_deleted)
select customer_id, customer_code, true, false from intermediate.int_customer_keys as k
where not exists (select 1 from marts.dim_customers as d where d.customer_id = k.customer_id);
insert into intermediate.int_sale_keys (sale_id, source_name, sale_code, load_id, loaded_at)
select (select max(sale_id) from intermediate.int_sale_keys) + row_number() over (), source_name, sale_code, load_id, loaded_at
from newest
where not exists (
    select 1 from intermediate.int_sale_keys as k
    where k.source_name = newest.source_name and k.sale_code = newest.sale_code);
create temp table resolved on commit drop as
select k.sale_id, p.product_id, c.customer_id, s.store_id, h.channel_id, n.*
from newest as n
join intermediate.int_sale_keys as k using (source_name, sale_code)
join intermediate.int_product_keys as p using (product_code)
join intermediate.int_customer_keys as c using (customer_code)
join intermediate.int_store_keys as s using (store_code)
join intermediate.int_channel_keys as h using (channel_code);
create temp table days on commit drop as
select sold_at::date as day from resolved
union select f.sale_date from marts.fact_sales as f join resolved using (sale_id);
create temp table product_days on commit drop as
select product_id, sold_at::date as day from resolved
union select f.product_id, f.sale_date from marts.fact_sales as f join resolved using (sale_id);
analyze resolved; analyze days; analyze product_days;
delete from marts.fact_sales where sale_id in (select sale_id from resolved);
insert into marts.fact_sales (sale_id, product_id, customer_id, store_id, channel_id, sale_date, quantity, unit_price,
    total_amount, sale_code, transaction_code, source_name, sold_at, load_id, source_file, source_line)
select sale_id, product_id, customer_id, store_id, channel_id, sold_at::date, quantity, unit_price,
    total_amount, sale_code, transaction_code, source_name, sold_at, load_id, source_file, source_line
from resolved where not is_deleted;
delete from metrics.metrics_daily where metric_date in (select day from days);
insert into metrics.metrics_daily (metric_date, total_sales, total_transactions, avg_transaction_value, total_customers,
    new_customers, load_id)
select day, sum(total_amount), count(distinct transaction_code),
    sum(total_amount) / count(distinct transaction_code), count(distinct customer_id),
    count(distinct customer_id) filter (where not exists (
        select 1 from marts.fact_sales as e where e.customer_id = f.customer_id and e.sale_date < f.sale_date)),
    max(load_id)
from days join marts.fact_sales as f on f.sale_date = days.day group by day;
delete from metrics.metrics_products where (product_id, metric_date) in (select product_id, day from product_days);
insert into metrics.metrics_products (product_id, metric_date, units_sold, revenue, profit, stock_level, load_id)
select d.product_id, d.day, coalesce(sum(f.quantity), 0), coalesce(sum(f.total_amount), 0),
    sum(f.total_amount) - sum(f.quantity) * max(p.unit_cost),
    (select stock_level from intermediate.int_stock_levels as l
        where l.product_id = d.product_id and l.stock_date <= d.day order by stock_date desc limit 1),
    max(f.load_id)
from product_days as d
join marts.dim_products as p on p.product_id = d.product_id
left join marts.fact_sales as f on f.product_id = d.product_id and f.sale_date = d.day
group by d.product_id, d.day;
"""


def hand_written(since: int) -> float:
    """Seconds of the hand-written SQL; what it did is undone."""
    with closing(warehouse.connect("transformer")) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(HAND_WRITTEN.format(since=since))
        seconds = time.perf_counter() - started
        connection.rollback()
    return seconds


def build(arguments: Sequence[str] = ()) -> float:
    """Seconds of one ``dbt build``."""
    started = time.perf_counter()
    runner.build(arguments)
    return time.perf_counter() - started


def main() -> None:
    """Print the seconds of a day's build at each size, and whether the limits hold."""
    with own_home():
        warehouse.start()
        with open_ledger():
            staging.create_tables()
        runner.parse()
        measure()


def measure() -> None:
    """Grow the history step by step; at each step add days and build."""
    history = History()
    days: dict[str, float] = {}
    print(
        f"{'lines':>6} {'whole, s':>9} {'nothing new, s':>15} {'a day, s':>9}"
        f" {'of the star, s':>15} {'hand-written, s':>16} {'ratio':>6}"
    )
    for size, number_of_days in DAYS.items():
        history.extend(number_of_days)
        started = time.perf_counter()
        runner.build(["--full-refresh"])
        whole = time.perf_counter() - started
        execute("transformer", "analyze")
        build()
        nothing, day, of_the_star, by_hand = [], [], [], []
        for _ in range(REPEATS):
            nothing.append(build())
            history.add_a_day()
            day.append(build())
            start_up = build(STAR)
            since = history.load_id
            history.add_a_day()
            by_hand.append(hand_written(since))
            of_the_star.append(build(STAR) - start_up)
            build()
        days[size] = min(day)
        ratio = min(of_the_star) / min(by_hand)
        print(
            f"{size:>6} {whole:9.1f} {min(nothing):15.2f} {min(day):9.2f}"
            f" {min(of_the_star):15.2f} {min(by_hand):16.2f} {ratio:6.2f}"
            f"  limit {MOST_BESIDE_SQL}: {'kept' if ratio <= MOST_BESIDE_SQL else 'BROKEN'}",
            flush=True,
        )
    growth = days["10 M"] / days["1 M"]
    print(f"10 M / 1 M: {growth:.2f}  limit {MOST_AT_10_M}: {'kept' if growth <= MOST_AT_10_M else 'BROKEN'}")
