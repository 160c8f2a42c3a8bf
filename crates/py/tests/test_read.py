"""Files and frames in, columns out."""

import datetime
import logging

import crible
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest


def frames(sample):
    frame = pl.read_csv(sample, infer_schema_length=None)
    return {
        "polars": frame,
        "pyarrow": pyarrow.csv.read_csv(sample),
        "pandas": pd.read_csv(sample),
        "batches": pa.RecordBatchReader.from_batches(
            frame.to_arrow().schema, frame.to_arrow().to_batches(max_chunksize=1000)
        ),
    }


@pytest.mark.parametrize("kind", ["polars", "pyarrow", "pandas", "batches"])
def test_a_frame_is_read_as_the_file_is(kind, sample):
    whole = crible.read(sample)
    got = crible.read(frames(sample)[kind])
    assert len(got) == len(whole) and len(got.rejects) == 0
    for name in ("time", "amount_minor", "row"):
        assert np.array_equal(got.table[name], whole.table[name]), name
    for name in ("currency", "category", "channel", "country"):
        assert got.table[name] == whole.table[name], name
    # Keys are made of the contents, so names differ, and who is who does not.
    assert len(set(got.table["account"])) == len(set(whole.table["account"])) == 60


def test_our_own_tables_come_back():
    table = crible.simulate(accounts=30, days=20, seed=2)
    transactions = crible.read(table)
    assert len(transactions) == len(table)
    assert transactions.table["label"].sum() == table["fraud"].sum()
    cents = np.round(table["amount"] * 100).astype(int)
    assert sorted(transactions.table["amount_minor"].tolist()) == sorted(cents.tolist())
    alerts = crible.score(table, min_severity="medium").alerts
    assert len(alerts) > 0


def test_nothing_is_lost(tmp_path, caplog):
    path = tmp_path / "mine.csv"
    path.write_text(
        "when,who,much\n2024-01-01,A1,-5\n2024-01-02,A1,five\n2024-01-02,A1,five\n2024-02-30,A2,1\n2024-01-03,A2,2\n"
    )
    with caplog.at_level(logging.INFO, logger="crible"):
        transactions = crible.read(path, map="account=who,amount=much,time=when,currency=@EUR")
    (file,) = transactions.files
    assert file["read"] == file["accepted"] + file["known"] + file["rejected"] == 5
    assert file["accepted"] == len(transactions) == 2
    rejects = list(transactions.rejects.rows())
    places = [(one["row"], one["line"], one["column"]) for one in rejects]
    assert places == [(1, 3, "much"), (2, 4, "much"), (3, 5, "when")]
    assert "3 rows were rejected" in caplog.text and "line 3, column much" in caplog.text
    assert "pseudonyms: keyed with" in caplog.text


def test_a_table_goes_into_every_library(sample):
    transactions = crible.read(sample)
    table = transactions.table
    frames = {
        "pandas": table.to_pandas(),
        "polars": table.to_polars().to_pandas(),
        "arrow": table.to_arrow().to_pandas(),
        "stream": pa.table(table).to_pandas(),
        "polars stream": pl.DataFrame(transactions).to_pandas(),
    }
    for name, frame in frames.items():
        assert list(frame.columns) == table.columns, name
        assert frame["amount"].tolist() == table["amount"].tolist(), name
        assert frame["account"].tolist() == table["account"], name
        assert str(frame["time"].dt.tz) == "UTC", name
        assert frame["time"].iloc[0] == next(table.rows())["time"], name
    shared = table.to_pandas()["amount_minor"].to_numpy()
    assert np.shares_memory(shared, table["amount_minor"])
    assert np.shares_memory(table.to_arrow().column("amount").chunk(0).to_numpy(), table["amount"])


def test_splitting_parts_at_a_time(sample):
    transactions = crible.read(sample)
    at = datetime.datetime(2025, 2, 1, tzinfo=datetime.timezone.utc)
    before, after = transactions.split(at)
    assert len(before) + len(after) == len(transactions)
    assert before.span[1] < at <= after.span[0]
    assert transactions[0] == before[0] and transactions[-1] == after[len(after) - 1]
    with pytest.raises(IndexError):
        transactions[len(transactions)]
    assert len(transactions.split("1970-01-01")[0]) == 0


def test_simulated_rows_are_the_command_s(command, tmp_path):
    out = tmp_path / "simulated.csv"
    command("simulate", "--accounts", 300, "--days", 30, "--seed", 4, "--scenario", "device_farm", "--out", out)
    table = crible.simulate(accounts=300, days=30, seed=4, scenarios=["device_farm"])
    written = pl.read_csv(out, infer_schema_length=None)
    assert [name for name in table.columns if name != "scenario"] == written.columns
    assert table["id"] == written["id"].to_list()
    assert table["amount"].tolist() == written["amount"].to_list()
    assert [value or "" for value in table["device"]] == [value or "" for value in written["device"].to_list()]
    assert set(table["scenario"]) == {None, "device_farm"}
    with pytest.raises(ValueError, match="no scenario"):
        crible.simulate(scenarios=["a_mistake"])
    with pytest.raises(ValueError, match="accounts is 0"):
        crible.simulate(accounts=0)


def test_pseudonyms_lead_back_with_the_files(sample, tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    transactions = crible.read(sample, key_file=key)
    account = transactions.table["account"][0]
    (row,) = crible.reveal(account, sample, key_file=key).rows()
    assert (row["role"], row["identifier"]) == ("account", "A000010")
    # The key says the same of the identifier.
    assert crible.Key(path=key).account("A000010") == account
    assert len(crible.reveal([account], sample)) == 0
    with pytest.raises(ValueError, match="pseudonyms") as error:
        crible.reveal(["A000010"], sample)
    assert "A000010" not in str(error.value)


def test_a_table_shows_its_rows(sample):
    table = crible.read(sample).table
    assert repr(table).splitlines()[0] == "<crible.Table: 6516 rows>"
    assert repr(table).splitlines()[-1] == "… 6506 more"
    assert table._repr_html_().count("<tr>") == 11
    with pytest.raises(KeyError, match="mood.*expected one of id"):
        table["mood"]
