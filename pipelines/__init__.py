"""What runs at night: ingest, features, train, evaluate, register, score, publish.

Each step is a function of tables and an as-of day, a verb of the command line ``clv``, and done once for the
same inputs. Nothing here imports ``serving``: the service hands its verbs over by an entry point.

Map
---
settings    what a person may set: one TOML file, overridden by the environment
workspace   where things lie below the data folder
steps       which steps are done already
night       the steps of one night on one data folder
cli         the one command line, ``clv``: a verb for each step
progress    how far a step is, told to whoever watches
summary     what a step or a night did, as tables on a terminal
assortment  what can be offered: the offers table, and one offer for each item sold
orders      one row per order, as the value model reads purchases
responses   what the propensity model reads: baskets, offers, who met which, and what came of it
train       fits the models as of a day, each into a sealed folder
evaluate    judges them on days they did not see, against naive answers and the champion
evaluation  how a model did and whether it may become the champion
pictures    the pictures of a report
report      pictures, model card and evaluation, in one folder
register    hands judged models to the registry and fetches champions
chosen      which model scores tonight: the champion, or a candidate while there is none
score       what every customer is worth, and which lists they are on
profiles    a customer's history, contacts, consent and open issue beside the scores
publish     from scores to what the service reads, in one step
siblings    whether the five packages are ours alone
doctor      whether this machine is fit to run the service
"""
