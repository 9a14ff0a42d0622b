"""What runs at night: ingest, features, train, evaluate, register, score, publish.

Each step is a function of tables and an as-of day, a verb of the command line ``clv``, and done once for the
same inputs. Nothing here imports ``serving``: the service hands its verbs over by an entry point.

Map
---
settings    what a person may set: one TOML file, overridden by the environment
workspace   where things lie below the data folder
steps       which steps are done already
night       the steps of one night on one data folder, in order
shift       what those steps share: settings, places, what is done already
contest     tonight's models against the champions: trained, judged, registered, chosen
handover    from those models to the service: customers scored, a generation published
entrance    the door to the command line: names a missing native library
cli         the one command line, ``clv``: a verb for each step
tables      the six tables of the data contract: columns, kinds, ranges, keys
aliases     which header means which column, and which file which table
mapping     the mapping file, for what no alias knows
sources     where rows come from: built-in data, files, folders, globs, databases, a mapping file
complete_journey  the demo's retail data as the six tables
databases   rows of a SQL database, one query per table
delimited   text files: separator, header, staging, and lines found again
prices      whether a price is of the unit or of the line
encodings   which encoding a file is in, or why that cannot be told
feeds       one file or query that feeds one table
words       yes and no, channels and outcomes, as people write them
numbers     decimal points and commas, decided by the whole column
dates       days and times, decided by the whole column
cells       from staged text to typed values
checks      which rows cannot be used, and why
quarantine  those rows, with file, line, column, reason and themselves
forgetting  people who asked to be forgotten, out of everything the nights made
merging     rows that are there already: duplicates, overlaps, newer versions
ingest      all of that in one transaction
tally       what became of every row
ledger      one DuckDB file of all six tables
engine      DuckDB, and Ibis on it
days        purchase days, net of returns
features    what is known about a customer as of a day
progress    how far a step is, told to whoever watches
summary     what a step or a night did, as tables on a terminal
assortment  what can be offered: the offers table, and one offer for each item sold
orders      what each customer spent on which day, as the value model reads it
circumstances  what the value model's trees are told beyond orders
shelves     which items can stand in for each other, and what each costs
responses   what the propensity model reads: baskets, offers, who met which, and what came of it
train       fits the value and propensity models as of a day
topics      fits and judges the topic model on labelled messages
trained     what came of a training: a model in a sealed folder, or why there is none
evaluate    judges the value model on days it did not see, against naive answers and the champion
promises    judges the propensity model: its ranking, and whether it keeps its promises
chance      whether a difference is more than chance
lead        a model's lead over its naive rival, beside the champion's
evaluation  how a model did and whether it may become the champion
pictures    pictures of a report beside those of the value package
report      pictures, model card and evaluation, in one folder
register    hands judged models to the registry and fetches champions
chosen      which model scores tonight: the champion, or a candidate while there is none
economics   what it costs to supply and to serve each customer
score       what every customer is worth, and which lists they are on
profiles    a customer's history, contacts, consent and open issue beside the scores
earnings    what a month of prompts earned against the control group, net of what the centre cost
receipts    which orders and returns the night counted for each customer
publish     from scores to what the service reads, in one step
siblings    whether the five packages are ours alone
doctor      whether this machine is fit to run the service

What can be ingested
--------------------
Sources: ``complete-journey``; ``cdnow``; CSV, TSV, TXT and Parquet files, folders and globs of them; a
SQL URL; ``TABLE=SOURCE`` where the name of a file does not tell the table; a mapping file (TOML) with a
section per table.

Headers are compared without case, blanks and punctuation, in English, German, French, Spanish and Chinese
(``CustomerID``, ``Kundennr`` and ``客户编号`` are one column). ``price`` beside ``quantity`` is of the unit
or of the line, as its lines show; where they fit both it is refused until the mapping says. ``unit_price``
times ``quantity`` makes an amount. Columns beyond the contract are kept with customers, products and
offers; ``consent_email`` is a permission.

Encodings: UTF-8 (with or without a mark) and UTF-16 by themselves; GB 18030, Big5 and Latin-1 by the
letters they spell; any other if named. Separators: comma, semicolon, tab, bar, runs of blanks. Decimal
marks and the order of day and month are decided by the whole column; what stays open is refused with the
row and the cure.

A row that cannot be used goes to ``quarantine/TABLE-FILE-XXXXXXXX.csv`` beside the ledger with file,
line, column, reason and itself, and to the ledger's table ``quarantine``; a cured file empties both.
Always read = accepted + duplicates + quarantined + forgotten. A line with an order number, or a row with
a key, is there once; equal lines without an order number are separate purchases and are matched one to one
across files. A newer row of the same customer, product, offer or interaction replaces the older. Purchases
of products nobody listed are kept and counted, or kept out with ``references = "quarantine"``. A second
currency is an error.

Known gotchas
-------------
* Times without a zone are UTC unless the mapping names their ``timezone``; a day is a UTC day.
* DuckDB lets one process write; open the ledger with ``read_only=True`` to look.
* DuckDB 2 casts ``2024-01-01 10:00+02`` to a TIMESTAMP without moving it: zones are read first.
* Within a transaction the ``rowid`` of a temporary table does not begin at 0.
"""
