"""What runs at night: ingest, features, train, evaluate, register, score, publish.

Each step is a function of tables and an as-of day, a verb of the command line ``clv``, and done once for the
same inputs. Nothing here imports ``serving``: the service hands its verbs over by an entry point.

Map
---
settings    what a person may set: one TOML file, overridden by the environment
workspace   where things lie below the data folder
steps       which steps are done already
siblings    whether the five packages are ours alone
doctor      whether this machine is fit to run the service
"""
