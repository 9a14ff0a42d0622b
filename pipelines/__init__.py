"""What runs at night: ingest, features, train, evaluate, register, score, publish.

Map
---
"""
