"""Who may see what: logins, tokens, roles, row filters on every way out, and the log of it all."""

import csv
import io
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import psycopg2
import pyarrow.parquet as pq
import pytest
import reports_warehouse as made_up
import requests
from server_warehouse import (
    PASSWORD,
    Events,
    Server,
    add_user,
    announce,
    embedded_data,
    execute,
    rows,
    served,
)

from conftest import analytics
from ingest import warehouse
from reports.server import access
from reports.server.access import hash_of

ALLOWED = "S1"  # the store that the manager sees: High Street


@pytest.fixture(scope="module")
def tokens(server_home: Path) -> dict[str, str]:
    """A user of each kind, with a token."""
    access.prepare()
    users = access.Access()
    kinds: dict[str, tuple[str, str, dict[str, list[str]]]] = {
        "viewer": ("vera", "viewer", {}),
        "analyst": ("anna", "analyst", {}),
        "admin": ("adam", "admin", {}),
        "manager": ("max", "analyst", {"store": [ALLOWED]}),
        "two": ("tess", "analyst", {"store": ["S1", "S2"]}),
        "toys": ("toni", "analyst", {"category": ["Toys"]}),
    }
    found = {}
    for kind, (name, role, only) in kinds.items():
        users.add_user(name, role, PASSWORD, only)
        found[kind] = users.add_token(name, "test", None)[1]
    users.close()
    return found


@pytest.fixture(scope="module")
def server(server_home: Path, tokens: dict[str, str]) -> Iterator[Server]:
    """Bound to all addresses, which it does now that there are users."""
    with served(server_home, "--host", "0.0.0.0") as running:
        running.address = running.address.replace("0.0.0.0", "127.0.0.1")
        running.url = f"http://{running.address}"
        yield running


def log_in(server: Server, name: str, password: str, **headers: str) -> requests.Session:
    """As a browser does; the answer to the form is `session.last`."""
    session = requests.Session()
    form = session.get(server.url + "/login", timeout=20).text
    found = re.search(r'name="csrf" value="(\w+)"', form)
    assert found
    content = {"name": name, "password": password, "csrf": found[1], "next": "/api/v1/metrics"}
    session.last = session.post(  # type: ignore[attr-defined]
        server.url + "/login", data=content, headers=headers, timeout=20, allow_redirects=False
    )
    return session


# ------------------------------------------------------------------------------------------------- who gets in


EVERY_ADDRESS = [
    "/", "/api/v1/metrics", "/api/v1/metrics/total_sales", "/api/v1/tables", "/api/v1/tables/fact_sales",
    "/api/v1/export/fact_sales.csv", "/api/v1/reports", "/api/v1/reports/daily", "/api/v1/sources", "/events",
    "/metrics", "/api/v1/access-log", "/dashboards/dashboard/", "/dashboards/dashboard/data.json",
    "/reports/daily-1/daily.pdf",
]  # fmt: skip


def test_nobody_gets_in_without_a_name(server: Server) -> None:
    described = set(server.json("/api/v1/openapi.json")["paths"]) - {"/api/v1/health"}
    patterns = [re.sub(r"\{\w+\}", "[^/]+", path) for path in described]
    assert all(any(re.fullmatch(p, path) for path in EVERY_ADDRESS) for p in patterns), described
    for path in EVERY_ADDRESS:
        answer = server.get(path, allow_redirects=False)
        if path in ("/", "/dashboards/dashboard/", "/reports/daily-1/daily.pdf"):
            assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/login")
        else:
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert server.get(path, "ana_wrong", allow_redirects=False).status_code in (303, 401)
    assert server.get("/api/v1/health").status_code == 200


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("/api/v1/metrics/total_sales?grain=month", "viewer"), ("/api/v1/sources", "viewer"), ("/metrics", "viewer"),
        ("/api/v1/tables", "analyst"), ("/api/v1/tables/dim_stores", "analyst"),
        ("/api/v1/export/dim_stores.csv", "analyst"), ("/api/v1/access-log", "admin"),
    ],
)  # fmt: skip
def test_roles(server: Server, tokens: dict[str, str], path: str, least: str) -> None:
    order = ["viewer", "analyst", "admin"]
    for role in order:
        wanted = 200 if order.index(role) >= order.index(least) else 403
        assert server.get(path, tokens[role]).status_code == wanted, (path, role)
    # What others may see is remembered by now, and remains theirs.
    assert server.get(path, tokens["viewer"]).status_code == (200 if least == "viewer" else 403)


def test_a_login_and_its_cookie(server: Server) -> None:
    session = log_in(server, "anna", PASSWORD)
    done = session.last  # type: ignore[attr-defined]
    assert (done.status_code, done.headers["Location"]) == (303, "/api/v1/metrics")
    cookie = next(part for part in done.raw.headers.getlist("Set-Cookie") if part.startswith("session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert session.get(server.url + "/api/v1/metrics", timeout=20).status_code == 200
    secret = session.cookies["session"]
    assert rows("select user_name from ops.sessions where session_hash = %s", (hash_of(secret),), "access")
    assert not rows("select 1 from ops.sessions where session_hash = %s", (secret,), "access")

    index = session.get(server.url + "/", timeout=20).text
    assert "anna" in index
    # Without the form's own mark nobody is logged out, whatever cookies their browser sends along.
    assert session.post(server.url + "/logout", data={"csrf": ""}, timeout=20).status_code == 403
    mark = re.search(r'name="csrf" value="(\w+)"', index)
    assert mark
    session.post(server.url + "/logout", data={"csrf": mark[1]}, timeout=20)
    session.cookies.set("session", secret)
    assert session.get(server.url + "/api/v1/metrics", timeout=20).status_code == 401


def test_a_form_of_another_site_is_refused(server: Server) -> None:
    done = log_in(server, "anna", PASSWORD, Origin="http://evil.example").last  # type: ignore[attr-defined]
    assert done.status_code == 403
    bare = {"name": "anna", "password": PASSWORD}
    assert requests.post(server.url + "/login", data=bare, timeout=20).status_code == 403
    as_json = requests.post(server.url + "/login", json=bare, timeout=20)
    assert as_json.status_code == 415


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:1"]
)
def test_a_login_leads_nowhere_else(server: Server, target: str) -> None:
    session = requests.Session()
    form = session.get(server.url + "/login", params={"next": target}, timeout=20).text
    assert 'name="next" value="/"' in form
    mark = re.search(r'name="csrf" value="(\w+)"', form)
    assert mark
    content = {"name": "vera", "password": PASSWORD, "csrf": mark[1], "next": target}
    done = session.post(server.url + "/login", data=content, timeout=20, allow_redirects=False)
    assert done.headers["Location"] == "/"


def test_logins_are_limited(server: Server, tokens: dict[str, str]) -> None:
    """Five tries of a name from an address; then the right password is refused too, others are not."""
    answers = [log_in(server, "adam", "wrong password").last for _ in range(6)]  # type: ignore[attr-defined]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert log_in(server, "adam", PASSWORD).last.status_code == 429  # type: ignore[attr-defined]
    assert answers[-1].headers["Retry-After"]
    assert "Too many attempts" in answers[-1].text
    assert log_in(server, "vera", PASSWORD).last.status_code == 303  # type: ignore[attr-defined]
    # An unknown name is refused in the same words.
    assert log_in(server, "nobody", PASSWORD).last.status_code == 401  # type: ignore[attr-defined]
    execute("loader", "delete from ops.access_log where user_name in ('adam', 'nobody')")
    assert log_in(server, "adam", PASSWORD).last.status_code == 303  # type: ignore[attr-defined]
    assert 'analytics_logins_total{result="limited"} 2.0' in server.get("/metrics", tokens["admin"]).text


@pytest.mark.parametrize(
    ("names", "addresses", "allowed"),
    [("'name ' || n", "'127.0.0.1'", 20), ("'vera'", "'192.0.2.' || n", 50)],
    ids=["of many names from one address", "of one name from many addresses"],
)
def test_tries_that_are_spread_are_limited_too(
    server: Server, names: str, addresses: str, allowed: int
) -> None:
    attempts = (
        "delete from ops.access_log; insert into ops.access_log (user_name, address, action, what)"
        f" select {names}, {addresses}, 'login attempt', '' from generate_series(1, {allowed} - 1) as n"
    )
    execute("loader", attempts)
    answers = [log_in(server, "vera", "wrong password").last for _ in range(2)]  # type: ignore[attr-defined]
    assert [answer.status_code for answer in answers] == [401, 429]
    execute("loader", "delete from ops.access_log")
    assert log_in(server, "vera", PASSWORD).last.status_code == 303  # type: ignore[attr-defined]


def test_many_tries_at_once_count_as_many(server: Server) -> None:
    execute("loader", "delete from ops.access_log")
    codes: list[int] = []

    def one() -> None:
        codes.append(log_in(server, "tess", "wrong password").last.status_code)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(401) <= 6  # two are checked at a time
    assert codes.count(429) >= 6
    execute("loader", "delete from ops.access_log")


def test_passwords_and_tokens_are_kept_as_hashes(server_home: Path, tokens: dict[str, str]) -> None:
    ((hashed,),) = rows("select password_hash from ops.users where user_name = 'anna'", role="access")
    assert hashed.startswith("$argon2id$")
    kept = rows("select token_hash from ops.api_tokens", role="access")
    assert (hash_of(tokens["viewer"]),) in kept
    assert not {token for (token,) in kept} & set(tokens.values())
    for sql in ("select * from ops.users", "select * from ops.api_tokens", "select * from ops.sessions"):
        with (
            psycopg2.connect(**warehouse.settings("reader")) as connection,
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
        ):
            connection.cursor().execute(sql)
    listed = analytics("user", "token", "list", home=server_home)
    assert not any(token in listed.stdout for token in tokens.values())


def test_a_revoked_token_and_a_removed_user_are_out_at_once(server: Server, server_home: Path) -> None:
    token = add_user(server_home, "tom", "viewer")
    path = "/api/v1/metrics/total_sales?grain=month"
    assert server.get(path, token).status_code == 200
    assert server.get(path, token).status_code == 200  # remembered by now
    ((number,),) = rows("select token_id from ops.api_tokens where user_name = 'tom'", role="access")
    assert analytics("user", "token", "revoke", str(number), home=server_home).returncode == 0
    server.until(lambda: server.get(path, token).status_code == 401, 3)
    assert analytics("user", "token", "revoke", str(number), home=server_home).returncode == 2

    session = log_in(server, "tom", PASSWORD)
    assert session.get(server.url + path, timeout=20).status_code == 200
    users = access.Access()
    users.add_user("tom", "viewer", PASSWORD, {})  # whose password is changed is logged out
    users.close()
    server.until(lambda: session.get(server.url + path, timeout=20).status_code == 401, 3)
    session = log_in(server, "tom", PASSWORD)
    assert session.get(server.url + path, timeout=20).status_code == 200
    assert analytics("user", "remove", "tom", home=server_home).returncode == 0
    server.until(lambda: session.get(server.url + path, timeout=20).status_code == 401, 3)
    assert log_in(server, "tom", PASSWORD).last.status_code == 401  # type: ignore[attr-defined]


def test_a_token_ends_with_its_time(server: Server, server_home: Path, tokens: dict[str, str]) -> None:
    done = analytics("user", "token", "add", "vera", "--days", "1", home=server_home)
    token = done.stdout.strip()
    assert server.get("/api/v1/metrics", token).status_code == 200
    late = "update ops.api_tokens set expires_at = now() - interval '1 second' where token_hash = %s;"
    execute("loader", late + "select pg_notify('analytics_access', '')", (hash_of(token),))
    server.until(lambda: server.get("/api/v1/metrics", token).status_code == 401, 3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "x", "--no-password", "--only", "store=S9"], "there are: S0, S1, S2, S3, S4"),
        (["add", "x", "--no-password", "--only", "region=North"], "store, category, channel, segment"),
        (["add", "x", "--no-password", "--only", "store"], "DIMENSION=CODE"),
        (["add", "x", "--role", "king", "--no-password"], "viewer"),
        (["add", "(x", "--no-password"], "printable"),
        (["remove", "nobody"], "no user"),
        (["token", "add", "nobody"], "no user"),
    ],
)
def test_wrong_use_of_the_command_says_what_is_right(
    server_home: Path, tokens: dict[str, str], arguments: list[str], says: str
) -> None:
    done = analytics("user", *arguments, home=server_home)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_short_password_is_refused_and_users_are_listed(server_home: Path, tokens: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", "echo short | .venv/bin/analytics user add x --password-stdin"],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "10 to 200" in done.stderr) == (2, True)
    listed = analytics("user", "list", "--format", "csv", home=server_home)
    assert "max,analyst,store=S1,yes,1," in listed.stdout


# -------------------------------------------------------------------------------------------------- row filters


def sums(where: str = "true") -> tuple[int, float]:
    ((count, amount),) = rows(
        "select count(*), sum(total_amount) from marts.fact_sales"
        f" join marts.dim_stores using (store_id) join marts.dim_products using (product_id) where {where}"
    )
    return count, float(amount)


def test_exports_hold_the_users_rows_only(server: Server, tokens: dict[str, str]) -> None:
    for user, where in (
        ("manager", "store_code = 'S1'"), ("two", "store_code in ('S1', 'S2')"), ("toys", "category = 'Toys'"),
        ("analyst", "true"),
    ):  # fmt: skip
        body = server.get(
            "/api/v1/export/fact_sales.parquet?columns=total_amount,store_id", tokens[user]
        ).content
        table = pq.read_table(io.BytesIO(body))
        amounts = table["total_amount"].to_pylist()
        assert (len(amounts), pytest.approx(float(sum(amounts)))) == sums(where), user
    text = server.get("/api/v1/export/fact_sales.csv?columns=store_id", tokens["manager"]).content.decode(
        "utf-8-sig"
    )
    assert set(list(csv.reader(io.StringIO(text)))[1:][0]) == {"1"}
    # Not by asking for it either.
    asked = "/api/v1/export/fact_sales.csv?columns=sale_id&filter=store_id:eq:2"
    assert server.get(asked, tokens["manager"]).content == b"\xef\xbb\xbfsale_id\r\n"


def test_tables_show_the_users_rows_or_nothing(server: Server, tokens: dict[str, str]) -> None:
    """Every table that is served, for a user with a filter: rows that SQL says are theirs, or a refusal."""
    mine = {
        "fact_sales": "store_id = 1",
        "dim_stores": "store_id = 1",
        "dim_customers": "customer_id in (select customer_id from marts.fact_sales where store_id = 1)",
        "dim_products": "product_id in (select product_id from marts.fact_sales where store_id = 1)",
        "dim_channels": "channel_id in (select channel_id from marts.fact_sales where store_id = 1)",
    }
    listed = {table["name"] for table in server.json("/api/v1/tables", tokens["manager"])["tables"]}
    assert listed == set(mine)
    for table in server.json("/api/v1/tables", tokens["analyst"])["tables"]:
        name, key = table["name"], table["key"][0]
        answer = server.get(f"/api/v1/tables/{name}?limit=1000&columns={key}", tokens["manager"])
        exported = server.get(f"/api/v1/export/{name}.csv", tokens["manager"])
        if name not in mine:
            assert (answer.status_code, exported.status_code) == (403, 403), name
            continue
        wanted = [
            value
            for (value,) in rows(f"select {key} from marts.{name} where {mine[name]} order by 1 limit 1000")
        ]
        assert [row[key] for row in answer.json()["rows"]] == wanted, name
        assert wanted
    toys = {number for (number,) in rows("select product_id from marts.dim_products where category = 'Toys'")}
    for path in ("metrics_products?order=-metric_date&", "dim_products?"):
        found = server.json(f"/api/v1/tables/{path}limit=1000&columns=product_id", tokens["toys"])["rows"]
        assert {row["product_id"] for row in found} == toys


def test_metrics_are_of_the_users_part_only(server: Server, tokens: dict[str, str]) -> None:
    path = "/api/v1/metrics/total_sales?grain=fiscal_year"
    found = server.json(path + "&by=store", tokens["manager"])["rows"]
    assert {row["of"] for row in found} == {"High Street"}
    assert sum(row["value"] for row in found) == pytest.approx(sums("store_code = 'S1'")[1])
    for refused in ("", "&by=category"):
        answer = server.get(path + refused, tokens["manager"])
        assert answer.status_code == 403
        assert "by=store__store_name" in answer.json()["detail"]
    assert server.json(path + "&filter=store:Online", tokens["manager"])["rows"] == []
    assert {row["of"] for row in server.json(path + "&by=store", tokens["two"])["rows"]} == {
        "High Street",
        "Riverside",
    }


def test_a_name_that_two_stores_bear_is_shown_to_neither(server: Server, tokens: dict[str, str]) -> None:
    execute("transformer", "update marts.dim_stores set store_name = 'High Street' where store_code = 'S2'")
    announce(20)
    path = "/api/v1/metrics/total_sales?grain=fiscal_year&by=store"
    try:
        server.until(lambda: server.json(path, tokens["manager"])["rows"] == [])
    finally:
        execute("transformer", "update marts.dim_stores set store_name = 'Riverside' where store_code = 'S2'")
        announce(21)
        server.until(lambda: server.json(path, tokens["manager"])["rows"] != [])


def test_answers_are_not_shared_between_users(server: Server, tokens: dict[str, str]) -> None:
    """One address, asked by users who see more and less, again and again: each gets theirs, and keeps it to themselves."""
    path = "/api/v1/tables/dim_stores?columns=store_code"
    for _ in range(2):
        for user, codes in (("analyst", 5), ("manager", 1), ("two", 2)):
            answer = server.get(path, tokens[user])
            assert len(answer.json()["rows"]) == codes
            kept = "private, no-cache" if user == "analyst" else "private, no-store"
            assert answer.headers["Cache-Control"] == kept
            assert "Authorization" in answer.headers["Vary"]


def test_events_and_sources_tell_no_figures(server: Server, tokens: dict[str, str]) -> None:
    events = Events(server, tokens["manager"])
    assert events.next()[1].keys() == {"load_id", "built_at"}
    announce(22)
    name, told = events.next()
    assert (name, told.keys()) == ("build", {"load_id", "built_at"})
    for source in server.json("/api/v1/sources", tokens["manager"])["sources"]:
        assert source["rows_accepted"] is source["rows_rejected"] is None


def test_reports_are_made_and_shown_of_the_users_part_only(server: Server, tokens: dict[str, str]) -> None:
    asked = "/api/v1/reports/daily?from=2025-06-30&to=2025-06-30&format=xlsx"
    whole = server.get(asked, tokens["analyst"])
    part = server.get(asked, tokens["manager"])
    assert (whole.status_code, part.status_code) == (200, 200), part.text
    assert whole.content != part.content
    ids = {
        user: [r["report_id"] for r in server.json("/api/v1/reports", tokens[user])["reports"]]
        for user in tokens
    }
    assert len(ids["manager"]) == 1
    assert len(ids["analyst"]) == 2
    assert ids["toys"] == []
    (mine,) = ids["manager"]
    (other,) = set(ids["analyst"]) - {mine}
    assert server.get(f"/reports/{mine}/daily.xlsx", tokens["manager"]).content == part.content
    assert server.get(f"/reports/{other}/daily.xlsx", tokens["manager"]).status_code == 404
    assert server.get(asked + "&store=High Street", tokens["manager"]).content == part.content
    for other_part in ("S2", "Riverside", "S9", "S1&store=S2", "S1%0aS2"):
        refused = server.get(f"{asked}&store={other_part}", tokens["manager"])
        assert (refused.status_code, "no such store" in refused.text) == (403, True), other_part
    index = server.get("/", tokens["manager"]).text
    assert mine in index
    assert other not in index


def test_a_dashboard_is_of_the_users_part_only(server: Server, tokens: dict[str, str]) -> None:
    """The page as it is sent, with its data and its written tiles, and the data that it takes later."""
    page = server.get("/dashboards/dashboard/", tokens["manager"])
    later = server.json("/dashboards/dashboard/data.json", tokens["manager"])
    for data in (embedded_data(page), later):
        assert data["names"]["store"] == ["High Street"]
        assert sum(data["rows"]["sales"]["amount"]) == round(100 * sums("store_code = 'S1'")[1])
        assert data["rows"]["contacts"]["day"] == []  # they belong to no store
    assert "Riverside" not in page.text
    ((four_weeks,),) = rows(
        "select sum(total_amount) from marts.fact_sales where store_id = 1"
        f" and sale_date > date '{made_up.LAST_DAY}' - 28"
    )
    assert f"£{four_weeks:,.2f}" in page.text


def test_a_user_with_several_values_has_a_page_and_reports_of_them_all(
    server: Server, tokens: dict[str, str]
) -> None:
    page = server.get("/dashboards/dashboard/", tokens["two"])
    later = server.json("/dashboards/dashboard/data.json", tokens["two"])
    for data in (embedded_data(page), later):
        assert sorted(data["names"]["store"]) == ["High Street", "Riverside"]
        assert sum(data["rows"]["sales"]["amount"]) == round(100 * sums("store_code in ('S1', 'S2')")[1])
    assert "store High Street" not in page.text
    assert "Online" not in page.text
    asked = "/api/v1/reports/daily?from=2025-06-30&to=2025-06-30&format=xlsx"
    both, one, none = (
        server.get(asked + part, tokens["two"]) for part in ("", "&store=Riverside", "&store=S3&store=S1")
    )
    assert (both.status_code, one.status_code, none.status_code) == (200, 200, 403), both.text
    for answer, stores in ((both, "('S1', 'S2')"), (one, "('S2')")):
        cells = {
            cell.value
            for row in openpyxl.load_workbook(io.BytesIO(answer.content))["Summary"]
            for cell in row
        }
        assert sums(f"store_code in {stores} and sale_date = '2025-06-30'")[1] in cells
    listed = [report["parameters"] for report in server.json("/api/v1/reports", tokens["two"])["reports"]]
    assert "store=S1, S2" in listed
    # Who may see one of them only does not see what was made of both.
    manager = [
        report["parameters"] for report in server.json("/api/v1/reports", tokens["manager"])["reports"]
    ]
    assert set(manager) <= {"store=S1"}


def test_a_code_that_is_another_stores_name_lets_nobody_see_it(
    server: Server, tokens: dict[str, str]
) -> None:
    execute("transformer", "update marts.dim_stores set store_name = 'S1' where store_code = 'S2'")
    announce(23)
    path = "/dashboards/dashboard/data.json"
    try:
        server.until(lambda: "S1" in server.json(path, tokens["analyst"])["names"]["store"])
        assert server.json(path, tokens["manager"])["names"]["store"] == ["High Street"]
    finally:
        execute("transformer", "update marts.dim_stores set store_name = 'Riverside' where store_code = 'S2'")
        announce(24)


# -------------------------------------------------------------------------------------------------------- audit


def test_the_log_tells_who_read_and_exported_what(server: Server, tokens: dict[str, str]) -> None:
    execute("loader", "delete from ops.access_log")
    asked = "/api/v1/tables/fact_sales?limit=3&filter=quantity:eq:2"
    server.get(asked, tokens["manager"])
    server.get(asked, tokens["analyst"])
    server.get("/api/v1/export/dim_customers.csv?columns=first_name", tokens["analyst"])
    log_in(server, "vera", PASSWORD)
    log_in(server, "vera", "wrong password")
    log = "select user_name, action, what from ops.access_log order by access_id"
    export = ("anna", "export", "dim_customers.csv?columns=first_name")
    # Reads are written a little later; pages of other tests may still read.
    server.until(lambda: {("max", "read", asked), ("anna", "read", asked), export} <= set(rows(log)))
    found = rows(log)
    assert [action for user, action, _ in found if user == "vera" and action != "read"] == [
        "login attempt",
        "login",
        "login attempt",
    ]
    shown = server.json("/api/v1/access-log?limit=1000", tokens["admin"])["entries"]
    assert {(entry["user_name"], entry["action"]) for entry in shown} >= {("anna", "export"), ("max", "read")}
    assert {entry["address"] for entry in shown} == {"127.0.0.1"}
    assert PASSWORD not in str(shown)
    page = server.json(f"/api/v1/access-log?limit=2&before={shown[1]['access_id']}", tokens["admin"])[
        "entries"
    ]
    assert page == shown[2:4]


def test_what_cannot_be_logged_is_not_exported(server: Server, tokens: dict[str, str]) -> None:
    execute("loader", "revoke insert on ops.access_log from analytics_access")
    try:
        answer = server.get("/api/v1/export/dim_stores.csv", tokens["analyst"])
        assert answer.status_code >= 500
        assert "store" not in answer.text
    finally:
        execute("loader", "grant insert on ops.access_log to analytics_access")
    assert server.get("/api/v1/export/dim_stores.csv", tokens["analyst"]).status_code == 200
