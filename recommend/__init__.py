"""What to say next to a customer, if anything, and why.

Map
---
context       the moment: channel, agent, intent, what the chat mentions
profile       one customer as the engine sees them: value, segments, tags, consent, contacts, history
candidate     one thing that could be said, with its propensity
decision      what was decided: hints, or a reasoned silence, and everything held back with its reason
rules         one rule language for policies and segments: parse, one customer at a time
rules_grammar how a rule is written, with every complaint pointing at a character
rules_table   the same rules for a table of customers, as Ibis expressions
"""
