"""What do English turns of phrase with a gap in them tell? Rows as in ``constructions``."""

from __future__ import annotations

from typing import Final

ROWS: Final = (
    (
        "complaint",
        2.4,
        "quality",
        -1.0,
        r"\b(paid for|ordered|bought|asked for)\b.{0,60}\bbut\b.{0,30}\b(got|get|received|came|sent|is"
        r"|was)\b",
    ),
    (
        "complaint",
        2.2,
        "quality",
        -1.0,
        r"\b(paid for|ordered|asked for)\b.{0,50}\band (i )?(got|received|was given|was sent) (a|an"
        r"|the|one|some)\b",
    ),
    (
        "complaint",
        2.6,
        "delivery",
        -1.0,
        r"\b(say|said|show|marked)s?\b.{0,20}\b(delivered|arrived)\b.{0,30}\b(but|nothing|not|never"
        r"|no)\b",
    ),
    (
        "complaint",
        2.2,
        "quality",
        -1.0,
        r"\b(snap|peel|rip|split|burst|pop|wear|wore|broke|fell|fall|come|came|tore|flake)(ped|led|ed"
        r"|s)? (off|apart|in half|to pieces|loose)\b",
    ),
    (
        "complaint",
        1.6,
        "quality",
        -1.0,
        r"\bafter (just |only )?(one|a|two|three|a few|a couple of|\d+) (use|wash|wear|day|week|month"
        r"|hour|time|minute)s?\b",
    ),
    (
        "complaint",
        2.2,
        "service",
        -1.0,
        r"\b(nobody|no one|none of)\b.{0,25}\b(help|told|came|come|answer|care|bother|respond|repl"
        r"|call|show|know|pick)",
    ),
    (
        "complaint",
        2.0,
        "service",
        -1.0,
        r"\b(never|didn't|did not) (show|turn|call|ring|get back|reply|respond|answer)",
    ),
    (
        "complaint",
        1.2,
        "",
        -0.5,
        r"\b(second|third|fourth|fifth|\d+(st|nd|rd|th)) time\b",
    ),
    (
        "complaint",
        1.2,
        "",
        -0.5,
        r"\b(for|over|since) (two|three|four|five|six|several|\d+) (hour|day|week|month)s?\b",
    ),
    (
        "complaint",
        1.8,
        "",
        -1.0,
        r"\bwithout (telling|asking|notice|warning|my (consent|permission|knowledge))\b",
    ),
    (
        "complaint",
        2.2,
        "",
        -1.5,
        r"\bdriving (me|us) (mad|crazy|nuts|insane)\b|\bshame on\b|\bhad it with\b|\bnot (impressed"
        r"|acceptable|ok|okay)\b",
    ),
    (
        "complaint",
        2.2,
        "quality",
        -1.0,
        r"\b(rash|hives|food poisoning|allergic reaction)\b|\bmade (me|him|her|us) (ill|sick)\b"
        r"|\bthrow (it|them) (all )?(away|out)\b",
    ),
    (
        "complaint",
        1.8,
        "quality",
        -1.0,
        r"\b(has|have|got|with|is|are|was) (a |an |some )?(big |small |huge )?(crack|scratch|dent|hole"
        r"|stain|tear|chip|mark)(e?s|ed)?\b",
    ),
    (
        "complaint",
        2.2,
        "technical",
        -1.0,
        r"\b(been|is|are|was|went) (completely )?down\b|\b(log|logs|logged|kick|kicks|kicked) me out\b"
        r"|\bkeeps? (crash|freez|drop|disconnect|log|restart)",
    ),
    (
        "complaint",
        2.4,
        "billing",
        -1.0,
        r"\b(fee|charge|amount|payment|item)s?\b.{0,25}\b(never|didn't|did not|nobody|don't recognise"
        r"|don't recognize|not agree)",
    ),
    (
        "complaint",
        1.8,
        "price",
        -1.0,
        r"\b(put|raised|increased|hiked) (the |your |my )?(price|fee|rate)s?\b",
    ),
    (
        "complaint",
        1.4,
        "",
        -1.0,
        r"\bcould(n't| not) be bothered\b|\bday off (work )?for this\b|\bdon't (even )?care\b"
        r"|\bfobbed off\b|\bpassed around\b",
    ),
    (
        "cancel",
        2.6,
        "account",
        0.0,
        r"\b(delete|close|remove|erase|deactivate)\b.{0,15}\b(account|profile|data)\b",
    ),
    (
        "cancel",
        2.6,
        "subscription",
        0.0,
        r"\b(won't|not|don't|never)\b.{0,14}\b(renew|continu|carry on|extend)",
    ),
    (
        "cancel",
        2.4,
        "returns",
        0.0,
        r"\b(bring|send|take|hand)(ing)? (it|this|that|them|these|those|one|the other|the \w+"
        r"|my \w+) back\b",
    ),
    (
        "cancel",
        2.4,
        "",
        0.0,
        r"\b(forget|scrap|drop|void|undo|ignore|stop)( about)? (my |the |that |this )?(last )?(order"
        r"|booking|reservation|purchase)\b",
    ),
    (
        "cancel",
        2.4,
        "subscription",
        0.0,
        r"\b(give up|get out of|end|stop|pull out of) (my|the|our) (\w+ )?(pass|plan|contract"
        r"|membership|subscription|policy|insurance)\b",
    ),
    (
        "cancel",
        2.0,
        "returns",
        0.0,
        r"\b(swap|change|exchange|replace)\b.{0,20}\b(for|with|size|colou?r)\b",
    ),
    (
        "buy",
        1.6,
        "",
        0.0,
        r"\b(almost|nearly|just|about to be|all) (finished|gone|out|empty|used up)\b|\brun(ning)? (low"
        r"|out|short)\b",
    ),
    (
        "buy",
        2.4,
        "",
        0.0,
        r"\b(add|put|throw)\b.{0,30}\b(to|in|on|into) (my|the|this) (order|basket|cart|bag|trolley)\b",
    ),
    (
        "buy",
        2.2,
        "",
        0.0,
        r"\b(set|put) (aside|by)\b|\bthe usual\b|\bsame (as|order)\b|\bwhere (do|can|could) i (order"
        r"|buy|get)\b",
    ),
    (
        "buy",
        1.8,
        "",
        0.0,
        r"\b(want|like|going|love|hoping|planning) to (get|have|try|pick up)\b|\b(going to|gonna|will"
        r"|'ll) need\b",
    ),
    (
        "buy",
        2.2,
        "subscription",
        0.0,
        r"\b(move|go|switch|step) up to\b|\b(upgrade|switch|move|change) (me )?(to|onto) (the |a "
        r"|your )?\w* ?(plan|package|tariff|unlimited|premium)\b",
    ),
    (
        "buy",
        1.0,
        "",
        0.0,
        r"\b(a dozen|a pair of|a pack of|a box of|a couple of|a case of|(one|two|three|four|five|six"
        r"|ten|\d+) (more|box|pack|bag|bottle|of))",
    ),
    (
        "deliver",
        2.4,
        "delivery",
        0.0,
        r"\bwhen\b.{0,30}\b(be here|get here|come|arrive|turn up|reach|delivered|show up)\b"
        r"|\bany news on\b",
    ),
    (
        "deliver",
        2.4,
        "delivery",
        0.0,
        r"\b(pick|collect)\b.{0,25}\b(up|order|parcel|myself|from (the|your) (shop|store|branch))\b",
    ),
    (
        "deliver",
        2.2,
        "delivery",
        0.0,
        r"\b(mov(e|ed|ing) (house|home|to)|new (place|address))\b|\bchange\b.{0,12}\b(address"
        r"|it to \d)",
    ),
    (
        "pay",
        2.6,
        "returns",
        0.0,
        r"\b(money|refund)\b.{0,35}\b(be back|come back|come through|been sent|arrive|reach|land"
        r"|show up|in my account)\b",
    ),
    (
        "pay",
        2.4,
        "payment",
        0.0,
        r"\b(won't|not|doesn't|didn't|can't) (take|accept|let me pay|go through)\b.{0,20}|\b(new"
        r"|different|another) card\b",
    ),
    (
        "pay",
        2.4,
        "billing",
        0.0,
        r"\b(send|email|mail|forward|reissue|lost)\b.{0,25}\b(receipt|invoice|bill|statement)\b|\b"
        r"(bill|invoice|statement)\b.{0,30}\b(high|more|less|mean)",
    ),
    (
        "ask",
        1.6,
        "price",
        0.0,
        r"\b(anything|something|money|any \w+) off\b|\bbuy one get one\b|\bhalf price\b|\b(offer|deal"
        r"|sale|promotion|code)\b.{0,20}\b(still|valid|running|end|on)\b",
    ),
    (
        "ask",
        1.4,
        "stock",
        0.0,
        r"\bbe back( in)?\b|\b(any|some|more)\b.{0,20}\bleft\b|\bget(ting)? (any )?more in\b",
    ),
    (
        "ask",
        1.2,
        "account",
        0.0,
        r"\bmember(ship)? (number|id|card)\b|\b(see|check|find|use|redeem)\b.{0,12}\bpoints?\b",
    ),
    (
        "ask",
        1.2,
        "subscription",
        0.0,
        r"\b(minimum|notice) (term|period)\b|\btied in\b|\bhow long\b.{0,15}\bcontract\b",
    ),
    (
        "",
        0.0,
        "",
        1.8,
        r"\bover the moon\b|\bbeautifully\b|\bso (kind|lovely|sweet|good)\b|\bcouldn't be happier\b"
        r"|\bkeep it up\b",
    ),
)
