"""The steps from one layout of the store to the next, run by Alembic.

Map
---
env           hands Alembic our connection
"""
