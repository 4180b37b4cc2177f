"""Files that are not on this machine: s3:// against a real HTTP server of its protocol, and what goes wrong there."""

import gc
import gzip
import http.server
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from bucket_server import tell

from ingest.connectors import SourceError, csv, excel
from ingest.connectors.files import found

CONTENT = b"a,b\n1,2\n"


def put(bucket: Any, **files: bytes) -> None:
    for name, content in files.items():
        bucket.put_object(Key=name.replace("__", "/").replace("_", "."), Body=content)


def test_csv_files_of_a_bucket_are_read_like_local_ones(bucket: Any, tmp_path: Path) -> None:
    put(
        bucket,
        in__b_csv=b"a,b\n3,4\n",
        in__a_csv=CONTENT,
        in__c_csv_gz=gzip.compress(CONTENT),
        other_csv=b"x",
    )
    found = list(csv.deliveries({"path": "s3://box/in/*.csv*"}))
    assert [delivery.name for delivery in found] == [
        "s3://box/in/a.csv",
        "s3://box/in/b.csv",
        "s3://box/in/c.csv.gz",
    ]
    assert [
        (row["a"], row["_file"], row["_line"])
        for delivery in found
        for batch in delivery.batches()
        for row in batch.to_pylist()
    ] == [
        ("1", "s3://box/in/a.csv", 2),
        ("3", "s3://box/in/b.csv", 2),
        ("1", "s3://box/in/c.csv.gz", 2),
    ]
    (tmp_path / "local.csv").write_bytes(CONTENT)
    (local,) = csv.deliveries({"path": str(tmp_path / "local.csv")})
    assert local.fingerprint == found[0].fingerprint == found[2].fingerprint != found[1].fingerprint


def test_workbooks_of_a_bucket_are_read_like_local_ones(bucket: Any, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        for name in ("Sales 2024", "Sales 2025"):
            workbook.add_worksheet(name).write_column(0, 0, ["code", name])
    bucket.upload_file(str(tmp_path / "a.xlsx"), "in/a.xlsx")
    remote, local = (
        list(excel.deliveries({"path": path, "sheet": "Sales*"}))
        for path in ("s3://box/in/*.xlsx", str(tmp_path / "*.xlsx"))
    )
    assert [delivery.name for delivery in remote] == [
        "s3://box/in/a.xlsx#Sales 2024",
        "s3://box/in/a.xlsx#Sales 2025",
    ]
    assert [delivery.fingerprint for delivery in remote] == [delivery.fingerprint for delivery in local]
    assert [batch["code"].to_pylist() for d in remote for batch in d.batches()] == [
        ["Sales 2024"],
        ["Sales 2025"],
    ]


def test_the_copy_of_a_file_goes_with_it(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    put(bucket, a_csv=CONTENT, b_csv=CONTENT)
    for delivery in csv.deliveries({"path": "s3://box/*.csv"}):
        list(delivery.batches())
        gc.collect()
        assert len(list(tmp_path.iterdir())) == 1
    del delivery
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_what_came_into_the_bucket_since_is_seen(bucket: Any) -> None:
    put(bucket, a_csv=CONTENT)
    assert len(list(found("s3://box/*.csv"))) == 1
    put(bucket, a_csv=b"a,b\n", b_csv=CONTENT)
    assert [file.path.read_bytes() for file in found("s3://box/*.csv")] == [b"a,b\n", CONTENT]


def test_an_object_that_changes_while_it_is_fetched_is_noticed(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    put(bucket, a_csv=CONTENT)
    fetch = S3FileSystem.get_file

    def fetch_slowly(self: S3FileSystem, *arguments: str) -> None:
        fetch(self, *arguments)
        put(bucket, a_csv=b"a,b\n3,4\n")  # of the same size

    monkeypatch.setattr(S3FileSystem, "get_file", fetch_slowly)
    with pytest.raises(SourceError, match=r"s3://box/a\.csv: changed while it was read; it is read again at"):
        list(found("s3://box/*.csv"))


def test_nothing_there(bucket: Any) -> None:
    for path in ("s3://box/*.csv", "s3://box/a.csv", "s3://no-such-box/*.csv"):
        with pytest.raises(SourceError, match=r"no file matches s3://.*\.csv$"):
            list(found(path))


def test_refused_and_missing_credentials(bucket: Any, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bucket, a_csv=CONTENT)
    tell(f"{server}/moto-api/reset-auth", b"0")  # from now on credentials are looked at
    try:
        with pytest.raises(
            SourceError, match=r"s3://box/\*\.csv: access is refused: .*; set AWS_ACCESS_KEY_ID"
        ):
            list(found("s3://box/*.csv"))
        with pytest.raises(
            SourceError, match=r"s3://box/a\.csv: access is refused: .*; set AWS_ACCESS_KEY_ID"
        ):
            list(found("s3://box/a.csv"))
    finally:
        tell(f"{server}/moto-api/reset-auth", b"inf")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(
        SourceError, match="access is refused: Unable to locate credentials; set AWS_ACCESS_KEY"
    ):
        list(found("s3://box/*.csv"))


@pytest.mark.unit
def test_a_missing_driver_names_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("s3fs", "paramiko"):
        monkeypatch.setitem(sys.modules, module, None)
    for protocol in ("s3", "sftp"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, protocol, raising=False)
    with pytest.raises(SourceError, match=r"no driver for s3:// .*; install the extra s3: .*\[s3\]"):
        list(found("s3://box/*.csv"))
    with pytest.raises(SourceError, match=r"^sftp://host/a\.csv: there is no driver for sftp:// "):
        list(found("sftp://me:secret@host/a.csv"))
    with pytest.raises(
        SourceError, match=r"nosuch://host/a\.csv: cannot be read: Protocol not known: nosuch"
    ):
        list(found("nosuch://host/a.csv"))


@pytest.mark.unit
def test_passwords_are_never_shown() -> None:
    with pytest.raises(
        SourceError, match=r"^ftp://127\.0\.0\.1:1/a\.csv: cannot be read: .*refused"
    ) as caught:
        list(found("ftp://me:s%2Fcret@127.0.0.1:1/a.csv"))
    assert "cret" not in str(caught.value)


@pytest.mark.unit
def test_a_file_behind_a_signed_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, format: str, *args: object) -> None:
            pass

    (tmp_path / "a.csv").write_bytes(CONTENT)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        try:
            url = f"http://127.0.0.1:{running.server_port}/a.csv"
            (delivery,) = csv.deliveries({"path": f"{url}?signature=secret"})
            assert (delivery.name, sum(map(len, delivery.batches()))) == (url, 1)
        finally:
            running.shutdown()
