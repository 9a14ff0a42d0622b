"""What to say next to a customer, if anything, and why.

Map
---
context       the moment: channel, agent, intent, what the chat mentions
profile       one customer as the engine sees them: value, segments, tags, consent, contacts, history
history       what one customer bought when, in the compact form the live service reads
issues        is a complaint open: one rule for the night and the day
candidate     one thing that could be said, with its propensity
proposed      all candidates of one customer by column
ownership     whether the customer bought what an offer is about
decision      what was decided: hints, or a reasoned silence, and everything held back with its reason
considered    everything a decision considered, by column
rules         one rule language for policies and segments: parse, one customer at a time
rules_grammar how a rule is written, with every complaint pointing at a character
rules_tree    what a rule is once it has been read
rules_table   the same rules for a table of customers, as Ibis expressions
catalogue     offers, their treatments per channel, and the catalogue that holds them
policies      what may stop an offer: rules, consent, service first, limits, the slate; a polite default
contact       limits per channel and period, pauses after a refusal, caps per offer
control       who gets no prompt, by a stable hash
records       settings as frozen records, from plain values and back
facts         the fields a policy may ask about, and their values in one moment
rulebook      policies and catalogue put together once
listing       a rulebook's catalogue by column: what a decision asks of every offer
worth         priority = propensity x context x value x lever, and the price of annoyance
moment        one customer in one moment: how each candidate passes or falls
slate         which offers sit in which place: at most so many, diverse by kind and item
silence       why nothing was said
decide        one decision: candidates, policies and weights become hints, or silence
engine        all of it put together once and asked many times
funnel        how many offers reach each stage, and why they go no further
explore       trying what is not known to be best, with exact probabilities
replay        what another policy would have brought, from logged decisions
decisionlog   logged decisions as a table, and as arrays
reward        what a decision would have brought: a plain model, for replay only
impact        what the prompts earned against the control group, net of cost
vitals        the few numbers segments and tags are made of, read alike from a row and from a record
rfm           the eleven standard segments by recency, frequency and money
lifecycle     new, active, returning, cooling, at risk, lost
segments      the lists a customer is on: cut points learned once, applied by night and live
audiences     the marketer's own lists, by rule, from a file
clusters      groups of customers nobody defined, with names a person can read
affinity      the best channel and time to reach somebody, with how sure we are
tags          facts on a customer's behaviour, with source and day
explain       why this offer: reasons from facts and from the model's arithmetic
pace          how often a customer buys an item, where there is a steady pace to speak of
phrases       how a reason is said in each language
scripts       words an agent can say, which inform and do not press
speech        words and reasons of one hint together
languages     which language a reader's tag means
sensitive     what is never shown or spoken of
listen        a chat message to topic, intent, mood and the items it names; nothing of the text is kept
mentions      which items a message names
ear           guesses from runs of characters, learned from example sentences
examples      labelled sentences the ear learns from, spelled out of patterns
lexicon       what a listener looks up: cues and the names of a catalogue
cues_en       English cues of intent and topic
cues_zh       Chinese cues of intent and topic
moods         words that tell a mood, and phrases that tell nothing
constructions turns of phrase with a gap in them
constructions_en English turns of phrase
constructions_zh Chinese turns of phrase
everyday      English words too common to be a slip or a name
goods         Chinese words for everyday goods, where a catalogue has English names only
phrasebook    known phrases in a list of words, the longest first
script_forms  one form for traditional and simplified characters, wide and narrow letters
spelling      what was meant by a misspelt word
topics        topics learned from labelled messages, stored as plain numbers
candidates    the proposer: what could be put before a customer, each with its calibrated probability
proposing     how they are put forward, for one customer as for many
prepared      candidates worked out the night before, so that the day only reads them
drawn         candidates of many customers at once, by column
sources       where candidates come from, and each source's best
baskets       who bought what when, as arrays: one customer or all of them
habits        what each customer bought before: how often, how recently, at what rhythm
items         what all customers show about each item, its kind and its price
places        which items go at which store or branch
replenish     when an item is due again
related       which items go with which: by basket, by taste, dearer ones of a kind
bundles       pairs bought together, with support, confidence and lift
neighbours    customers of like taste, kept as typical customers
knowledge     all of that as of a day
features      the numbers the propensity model sees, one function for training and live
samples       training rows from snapshots of the past
itemmodel     items bought within a horizon: slices in time, trees, calibration, judgement
nextbasket    the ranking form for the next visit
campaigns     offers of the business, judged by past answers or by their items
exposures     offers put before customers in the past, and what followed
response      who takes up a coupon or campaign offer
uptake        who takes up an offer, from a plain table of presentations
encoders      mixed columns to numbers that survive drift
propensity    the trees, saved as their own text
calibration   from a raw probability to one that keeps its promise, per channel
shelf         a catalogue in the proposer's own numbering
evaluation    recall, NDCG, calibration error: how good a ranking and a promise are
"""
