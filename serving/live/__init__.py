"""From events to a customer's standing, exactly as a recount from the start would give it.

Map
---
messages      what an event may look like, and why one is refused
book          the facts events leave on one customer, in an order of their own
orders        frequency, recency, age and money from published numbers and the book
heard         a complaint heard in one conversation, noted for every other
standing      a published profile and a book made into the profile of this moment
"""
