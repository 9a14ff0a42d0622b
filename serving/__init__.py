"""What people look at by day: the HTTP service, the agent's page.

Map
---
settings      what an operator may set
commands      the verbs serve ...
app           the application: routes, the one error table, start and end
doorway       what every request passes: its id, the security headers
refusals      why the service says no
service       what can be asked: who, what to say, who is in a segment
published     the generation in use, swapped by one assignment
engines       a generation's models, offers and policies made into an engine
clock         what time it is
schemas       what goes over the wire
lists         a list of customers as CSV
api           the routes, one noun a file
agent         the agent's page
"""
