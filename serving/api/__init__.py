"""The routes: one noun a file, each a few lines around a question to the service.

Map
---
asking        what the signature of a route is made of: the service, an id, a page size
customers     who a customer is
offers        what to say next
segments      segments and their lists, as JSON pages or one streamed CSV
events        what happened, in
decisions     what was decided, and what became of it
conversations each message heard, the hints followed
generations   which offers, policies and segments were in force when
people        a person's own data, and the audit trail
health        alive, ready, and the metrics
"""
