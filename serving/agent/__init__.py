"""The agent's page: who the customer is, what to say, and what was held back.

Map
---
page          the route and the template's inputs
"""
