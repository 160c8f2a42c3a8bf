#!/usr/bin/env bash
# Makes the committed corpora of the fixtures, and of a few words where a target takes no file.
set -euo pipefail
cd "$(dirname "$0")"
from=../tests/fixtures
put() { mkdir -p "corpus/$1"; cp "${@:2}" "corpus/$1/"; }
word() { mkdir -p "corpus/$1"; printf '%b' "$3" > "corpus/$1/$2"; }

put csv-comma "$from"/{crible,handbook,paysim,revolut_eur,venmo_2021,amex_long,Chase7788_Activity_20240630,ibm_aml}.[cC][sS][vV]
for by in 'semicolon ;' 'bar |' 'tab \t'; do
    read -r name letter <<< "$by"
    mkdir -p "corpus/csv-$name"
    for file in crible revolut_eur discover paypal_eu; do tr , "$letter" < "$from/$file.csv" > "corpus/csv-$name/$file"; done
done
put recognise "$from"/{stmt,venmo_statement,usbank_checking,Checking1,paypal_uk,monzo}.csv
put recognise "$from"/{checking.ofx,household.qif,statement.camt053.xml,statement.sta,sparkov-generator.psv}
put json "$from"/{plaid_get,plaid_sync,plaid_damaged,ob_v3,ob_v4,ob_damaged}.json
mkdir -p corpus/{zip,sheet}
python3 - "$from" <<'PYTHON'
import csv, sys, zipfile
from pathlib import Path
from xml.sax.saxutils import escape

source = Path(sys.argv[1])
for name, kind in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile(f"corpus/zip/{name}", "w", kind) as archive:
        for member in ("crible.csv", "venmo_2021.csv", "cash.qif"):
            archive.writestr(zipfile.ZipInfo(f"exports/{member}"), (source / member).read_bytes(), kind)
number = lambda text: text.lstrip("-").replace(".", "", 1).isdigit()
for name in ("Chase0909_Activity_20240630", "discover", "capital_one", "paypal_eu"):
    rows = []
    for at, row in enumerate(csv.reader(open(source / f"{name}.csv", encoding="utf-8-sig"))):
        place = lambda column: f"{chr(65 + column % 26)}{at + 1}"
        cell = lambda column, text: (f'<c r="{place(column)}"><v>{text}</v></c>' if number(text) else
            f'<c r="{place(column)}" t="inlineStr"><is><t>{escape(text)}</t></is></c>')
        rows.append(f'<row r="{at + 1}">' + "".join(cell(c, t) for c, t in enumerate(row) if t) + "</row>")
    Path(f"corpus/sheet/{name}").write_text("<worksheet><sheetData>" + "".join(rows) + "</sheetData></worksheet>")
PYTHON
put draft "$from"/{stmt,venmo_statement,monzo,amex_uk,Citi_members,paypal_eu,tabformer,paysim,Checking1}.csv
put ofx "$from"/*.ofx "$from"/*.qfx
for feed in qif qif-month-first qif-day-first; do put "$feed" "$from"/*.qif; done
put camt "$from"/*.camt05?.xml
put mt940 "$from"/*.sta "$from"/*.mt94?
put pain.001 "$from"/*.pain001.xml
put pacs.008 "$from"/*.pacs008.xml
put bai2 "$from"/*.bai
put iso8583-1987 "$from"/*.iso87
put iso8583-1993 "$from"/*.iso93
put preset ../presets/{venmo,paypal,wells-fargo,ibm-aml,us-bank,paysim}.toml
word mapping short 'account=Card,amount=Total,time=When'
word mapping long 'account=#2,amount=#3,time=#1,time-format=%d.%m.%Y %H:%M,zone=Europe/Paris,currency=@EUR,delimiter=tab,balance=#4'
word amount plain '-1234.50'
word amount money '($1,234.50)'
word amount comma '-1.234,50 €'
word amount long '9223372036854775807.995'
word time iso 'iso\n2024-02-29T23:59:59.123456+01:00'
word time epoch 'epoch-seconds\n1717200002.5'
word time pattern '%d.%m.%Y %H:%M\n29.02.2024 12:30'
word time slashes '%m/%d/%Y\n02/29/2024'
word key hex '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'
word key base64 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
word key words 'invented for the tests and used nowhere else'
