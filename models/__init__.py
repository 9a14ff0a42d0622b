"""What is trained, versioned and handed over. The only package that talks to MLflow.

Map
---
configuration      the one TOML file that the night and the service both read
deferred           libraries that a service loads when it first needs them, which is mostly never
secret             what the installation seals with
forgotten          who asked to be forgotten, without their names
bundle             a model's manifest: kind, version, as-of day, data fingerprint, metrics, hash of every file
files              a bundle's folder: sealed, checked file by file, packed into a zip for closed networks
verdict            may this model become the champion, and why
card               the model card: what it is for, how it was judged, where it is weak
tracking           the one door to MLflow: quiet, and phoning nobody
registry           versions, verdicts and the champion in MLflow's SQLite store
served_value       the value model behind `mlflow models serve`
served_propensity  the propensity model behind `mlflow models serve`
served_topics      the topic model behind `mlflow models serve`
profiles           a customer's profile as the bytes a snapshot keeps, and back
receipts           which orders and returns a generation counted for a customer
generation         which published generation is the one to read: its manifest and the pointer
checked            which generation was found whole already, so that a start need not hash all of it again
publication        writes a generation aside and publishes it in one step
snapshot           reads one whole generation, in microseconds a customer

Known gotchas
-------------
A snapshot's profiles and lists stay readable after its generation was pruned; its folders and documents do
not: load models and offers when you open it.
`models.registry` imports MLflow, which takes a second; everything a service needs is importable without it.
MLflow keeps its store in a global and a variable of the environment: `models.tracking` puts both back.
"""
