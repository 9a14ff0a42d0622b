"""What people look at by day: the HTTP service, the agent's page.

Map
---
settings      what an operator may set
commands      the verbs serve, feedback, keys, audit ...
app           the application put together; start and end
process       the application as a server runs it, alone in its process
errors        how an error becomes an answer: one table, one shape
doorway       what every request passes: its id, the security headers, the largest body
listening     where one worker listens, and where several do
threshold     HTTP with a bound on the head of a request
express       the short way to the one question asked all day
questions     what is asked all day in the same words, read once
addresses     which part of an address is a key, slashes and all
description   the API's own description, with how to sign in
refusals      why the service says no
service       what can be asked: who, what to say, who is in a segment
published     the generation in use, swapped by one assignment
engines       a generation's models, offers and policies made into an engine
champions     the registry's champion, fetched aside and checked
memory        what the service keeps, as it uses it
store         the tables, in SQLite or PostgreSQL
live          from events to a customer's standing
access        who asks, and what they may
erasure       a published generation without those who asked to be forgotten
side          the service's part in settings, export and erasure at the command line; its store for one verb
feedback      the log as tables: labelled decisions, and what the ledger takes in
clock         what time it is
chance        names nobody else has
secret        what keys, pseudonyms and the audit trail are sealed with
metrics       what is counted and timed
colleagues    what the service's workers share: figures, and memory to count in
logs          structured logs
schemas       what goes over the wire
lists         a list of customers as CSV
api           the routes, one noun a file
agent         the agent's page
"""
