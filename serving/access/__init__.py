"""Who asks, and what they may.

Map
---
roles         every route and who may use it: what is not listed is refused
identity      who asks: a key, a token, or whoever sits at this machine
tokens        the tokens people sign in with (OIDC)
limits        how many requests a minute
curiosity     how many different customers an hour
gate          the check every route passes before its body is read
"""
