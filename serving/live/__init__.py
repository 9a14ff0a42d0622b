"""From events to a customer's standing, exactly as a recount from the start would give it.

Map
---
messages      what an event may look like, and why one is refused
book          the facts events leave on one customer, in an order of their own
orders        frequency, recency, age and money of what was published and what came since
heard         a complaint heard in one conversation, noted for every other
news          what the book tells that the publication does not hold
standing      a published profile and the news made into the profile of this moment
"""
