"""A small warehouse for the tests of reports/: the tables that documents read, filled with made-up rows.

The rows come from arithmetic in SQL, so each run makes the same. The names of some products and stores are
hostile on purpose. Nothing here tests ingestion or dbt: tests of the whole way use the demo.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from homes import at, copy_of, remove_home

from ingest import warehouse

LAST_DAY = "2025-06-30"
CLOSED_DAY = "2025-06-22"  # a day with no sale at all
DAYS = 430

# Each of these would break out of a careless Markdown, typst, HTML or workbook template.
UGLY_PRODUCTS = [
    '=HYPERLINK("http://evil.example","x")',
    "<script>alert(1)</script> & <b>bold</b>",
    '#import "x.typ" $x$ @fig-x *star* _under_ `{python} 1/0`',
    "| pipe | {{< include /etc/passwd >}} ::: [a](b) \\ ~~",
    "+41 -1 @SUM(A1) Größe 50 € عربي 😀",
    "1. Wahl, 2. Wahl",
    "- dash // no comment",
    "= head / term: x",
    "\t@cmd|' /C calc'!A0",
    "Seite&nbsp;1 \u202eevil\u202c <img src=http://evil.example/x.png onerror=alert(1)>",
]
UGLY_STORE = "Station <Mall> #panic() [x](javascript:alert(1))"
UGLY_SEGMENT = "=1+1"

OPS = """
create table ops.loads (
    load_id bigint primary key, source_name text, feed_name text, entity text, source_file text, sha256 text,
    state text, rows_read bigint, rows_accepted bigint, rows_rejected bigint, rows_new bigint,
    amount_accepted numeric, started_at timestamp, finished_at timestamp, error text
);
create table ops.rejected_rows (
    rejection_id bigint generated always as identity primary key, load_id bigint, source_name text,
    feed_name text, source_file text, source_line bigint, rule text, reason text, raw_row jsonb,
    state text default 'open', rejected_at timestamp
);
create table ops.reconciliation (
    entity text, landed_rows bigint, fact_rows bigint, difference_rows bigint, landed_amount numeric,
    fact_amount numeric, daily_amount numeric, products_amount numeric, difference_amount numeric
);

insert into ops.loads
select
    n, source, source, entity, file, 'x', 'loaded', 100 + rejected, 100, rejected, 100, 1234.5,
    timestamp '2025-06-30 22:00' + n * interval '1 minute',
    timestamp '2025-06-30 22:00:30' + n * interval '1 minute', null
from (
    values
    (1, 'shop', 'sales', 'inbox/2025-06-29.csv', 0), (2, 'shop', 'sales', 'inbox/2025-06-30.csv', 3),
    (3, 'crm', 'customers', 'customers', 0), (4, 'desk', 'interactions', 'tickets?page=1', 1)
) as loads (n, source, entity, file, rejected);

insert into ops.rejected_rows (load_id, source_name, feed_name, source_line, rule, reason, raw_row)
select load_id, source, source, line, rule, 'does not fit', '{}'
from (
    values
    (2, 'shop', 7, 'quantity_type'), (2, 'shop', 9, 'quantity_type'),
    (2, 'shop', 12, 'price_not_negative'), (4, 'desk', 3, 'occurred_at_plausible')
) as rejected (load_id, source, line, rule);

create table ops.test_results (
    test_name text, model_name text, status text, failures bigint, message text, checked_at timestamp
);
insert into ops.test_results
values
    ('primary_key_fact_sales', 'fact_sales', 'pass', 0, '', '2025-07-01 05:00'),
    ('metrics_daily_equals_facts', 'fact_sales', 'pass', 0, '', '2025-07-01 05:00'),
    ('metrics_daily_equals_facts', 'metrics_daily', 'pass', 0, '', '2025-07-01 05:00'),
    ('elsewhere', 'some_other_model', 'fail', 3, 'Got 3 results', '2025-07-01 05:00');

insert into ops.reconciliation
values
    ('sales', 100, 100, 0, 1234.50, 1234.50, 1234.50, 1234.50, 0),
    ('interactions', 40, 40, 0, null, null, null, null, null);
"""

MARTS = """
create table marts.dim_products as
select
    n as product_id,
    'P' || n as product_code,
    case
        when n = 0 then 'Unknown'
        when n <= %(ugly_count)s then (%(ugly)s::text[])[n]
        else 'Product ' || lpad(n::text, 3, '0')
    end as product_name,
    (array['Garden', 'Kitchen', 'Lighting', 'Toys', '<i>Odd</i> & Co'])[1 + n %% 5] as category,
    round(2 + n %% 17 * 1.13, 2) as unit_cost,
    round(5 + n %% 23 * 1.37 + case when n <= %(ugly_count)s then 60 else 0 end, 2) as unit_price,
    n = 40 as is_inferred
from generate_series(0, 40) as n;

create table marts.dim_stores as
select
    n as store_id,
    'S' || n as store_code,
    (array['Unknown', 'High Street', 'Riverside', %(ugly_store)s, 'Online'])[n + 1] as store_name,
    (array[null, 'Dave Hill', 'Erin Moss', 'Frank <b>', null])[n + 1] as manager,
    true as active,
    false as is_inferred
from generate_series(0, 4) as n;

create table marts.dim_channels as
select
    n as channel_id,
    'H' || n as channel_code,
    (array['Unknown', 'Phone', 'E-mail', 'Chat', 'Counter'])[n + 1] as channel_name,
    false as is_inferred
from generate_series(0, 4) as n;

create table marts.dim_customers as
select
    n as customer_id,
    'C' || n as customer_code,
    case when n %% 10 <> 0 then 'First' || n end as first_name,
    case when n %% 10 <> 0 then 'Last <' || n || '>' end as last_name,
    (array['Private', 'Trade', %(ugly_segment)s])[1 + n %% 3] as segment,
    (array['United Kingdom', 'France'])[1 + n %% 2] as country,
    n > 290 as is_inferred
from generate_series(0, 300) as n;

create table marts.fact_sales as
select
    row_number() over ()::integer as sale_id,
    product_id,
    (1 + (d * 31 + k * 17) %% 300)::integer as customer_id,
    (1 + (d + k / 2) %% 4)::integer as store_id,
    (1 + k %% 2)::integer as channel_id,
    date %(last)s - d as sale_date,
    (1 + (d + k) %% 3)::integer as quantity,
    unit_price,
    round((1 + (d + k) %% 3) * unit_price, 2)::numeric(10, 2) as total_amount,
    'inbox/' || (date %(last)s - d) || '.csv' as source_file,
    (k + 1)::bigint as source_line,
    'shop' as source_name,
    'T' || d || '-' || k / 2 as transaction_code,
    (date %(last)s - d) + interval '12 hours' as sold_at
from generate_series(0, %(days)s - 1) as d
cross join lateral generate_series(1, 40 + (d * 5) %% 23 + case when d %% 7 in (1, 2) then 25 else 0 end) as k
join marts.dim_products on product_id = 1 + (d * 7 + k * 13) %% 40
where date %(last)s - d <> date %(closed)s;

create table marts.fact_interactions as
select
    row_number() over ()::integer as interaction_id,
    (1 + (d * 31 + k * 17) %% 300)::integer as customer_id,
    (1 + (d + k * k) %% 4)::integer as channel_id,
    (array['call', 'visit'])[1 + k %% 2] as interaction_type,
    (array['resolved', 'open'])[1 + k %% 2] as status,
    (date %(last)s - d) + k * interval '23 minutes' as interaction_date,
    case when k %% 9 = 0 then null else 60 + (d * 11 + k * 37) %% 600 end::integer as duration
from generate_series(0, %(days)s - 1) as d
cross join lateral generate_series(1, 12 + d %% 9) as k;

create table metrics.metrics_daily as
with

first_sales as (

    select customer_id, min(sale_date) as first_date from marts.fact_sales group by customer_id

)

select
    day::date as metric_date,
    coalesce(sum(total_amount), 0)::numeric(12, 2) as total_sales,
    count(distinct transaction_code)::integer as total_transactions,
    (sum(total_amount) / nullif(count(distinct transaction_code), 0))::numeric(10, 2) as avg_transaction_value,
    count(distinct customer_id)::integer as total_customers,
    (select count(*) from first_sales where first_date = day::date)::integer as new_customers
from generate_series(date %(last)s - %(days)s + 1, date %(last)s, interval '1 day') as day
left join marts.fact_sales on sale_date = day::date
group by day;

create table metrics.metrics_products as
select
    product_id,
    sale_date as metric_date,
    sum(quantity)::integer as units_sold,
    sum(total_amount)::numeric(10, 2) as revenue,
    sum(total_amount - quantity * unit_cost)::numeric(10, 2) as profit,
    (10 + product_id * 3) as stock_level,
    unit_cost
from marts.fact_sales
join marts.dim_products using (product_id)
group by product_id, sale_date, unit_cost;

create view metrics.metrics_sale_lines as
select
    sales.*,
    total_amount - quantity * unit_cost as profit,
    coalesce(sale_date = first_date, false) as is_first_day
from marts.fact_sales as sales
join marts.dim_products using (product_id)
left join (
    select customer_id, min(sale_date) as first_date from marts.fact_sales where customer_id <> 0 group by customer_id
) as first_sales using (customer_id);
"""


@contextmanager
def filled_home() -> Iterator[Path]:
    """A new home with the tables, which is the current one within the block."""
    home = copy_of("made-up", lambda _: fill())
    try:
        with at(home):
            warehouse.start()
            yield home
    finally:
        remove_home(home)


def fill() -> None:
    """Create and fill the tables in the warehouse of the current ANALYTICS_HOME."""
    values = {
        "ugly": UGLY_PRODUCTS,
        "ugly_count": len(UGLY_PRODUCTS),
        "ugly_store": UGLY_STORE,
        "ugly_segment": UGLY_SEGMENT,
        "last": LAST_DAY,
        "closed": CLOSED_DAY,
        "days": DAYS,
    }
    with closing(warehouse.connect("loader")) as connection, connection:
        connection.cursor().execute(OPS)
    with closing(warehouse.connect("transformer")) as connection, connection:
        connection.cursor().execute(MARTS, values)
