"""What people look at by day: the HTTP service, the agent's page.

Map
---
"""
