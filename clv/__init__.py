"""What a customer is worth.

Knows no web, no registry and no database: tables and numbers in, tables and numbers out.

Map
---
columns         the names of columns, spelled once
errors          every error of the project, in one tree
document        what a fitted model is written as, checked when it is read
summary         purchase lines -> frequency, recency, age and money of each customer
histories       that table checked at the door, and compressed to its unique rows
process         what all purchase models share: fit, predict, save, load
poisson         what those with Poisson orders share
kinds           which purchase models there are, by name, and the likeliest
nbd             buys at a steady rate, never leaves
bgnbd           may leave after each repeat order
mbgnbd          may leave after each order, the first included
betageometric   the formulas those two share
paretonbd       leaves at an unseen moment
cnbd            regular buyers (Erlang-k gaps)
bgbb            occasions taken or not, one a period
contractual     subscribers who renew or not
covariates      rates that depend on known differences
spend           amount per order (Gamma-Gamma)
fitting         optimiser, weak priors, standard errors
quadrature      integrals without a closed form
hypergeometric  Gauss' function where the library's own gives up
value           what a value is made of, and how it is counted
valuation       orders, spend and margin put together: the value of one customer or of all
recent          what a customer did lately: the features trees learn from
circumstances   what is known of customers beyond their orders
machine         the challenger: boosted trees for whether and how much
stacking        what a log's past says beyond the purchase model: ranking and level
season          how much busier than usual the days ahead will be
questions       will they order, when, are they still there
draws           possible futures of one customer
intervals       how far off a prediction may be
service         what serving a customer costs; margins from unit costs
bridge          to and from lifetimes
plots           pictures, one function each
holdout         time-based splits, measures of ranking and level, baselines
backtest        which model a log deserves, and why

Known gotchas
-------------
* ``frequency`` counts days with a purchase after the first, not orders, and ``recency_days`` is measured from
  the first purchase, not from today.
* A model may be fitted in any unit of time; it then answers in that unit. Valuations are in days.
* ``churn_probability`` is the chance of no order in the horizon; having left is one less
  ``probability_alive``.
* A valuation with a ``stack`` needs the column ``tilt`` (``ValueModel.tilts``) to rank by what the trees
  know; without it only the level is corrected.
"""

from __future__ import annotations

from clv.errors import ClvError
from clv.valuation import CustomerValue, ValueConfig, ValueModel

__all__ = ["ClvError", "CustomerValue", "ValueConfig", "ValueModel"]
