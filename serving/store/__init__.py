"""What the service must not forget, in SQLite or PostgreSQL.

Map
---
tables          every table, spelled once
database        opening it, bringing it up to date, reading
layout          whether its layout is the newest, and the steps there
insert          an insert that may say what to do where the row is there already
commits         many writers, one commit: group commit on a thread of its own
patience        who waits for a commit, and for how long
events          append events and move the profiles, in one transaction
decisions       what was decided, and what became of it
record          a decision as the bytes the log keeps, and back
conversations   what a conversation is about so far, kept together with the decision that answers
people          everything held about a person: export, erase, and not taking them back
keys            access keys
lookups         which customers each agent asked about within the hour
trail           the hash-chained record of who did what
seals           the secret it was sealed with, and how long the trail is
retention       how long decisions, their outcomes, conversations and lookups are kept
generations     which offers, policies and segments were in force when
migrations      the steps from one layout to the next
"""
