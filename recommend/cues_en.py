"""What do English words and phrases tell: what a customer wants, and what it is about?

Rows of (what, label, weight, phrases). Phrases are separated by ``|`` and written in the singular, as
:func:`recommend.script_forms.tokens` leaves them. A phrase may stand in several rows.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Row: TypeAlias = tuple[str, str, float, str]

ROWS: Final[tuple[Row, ...]] = (
    (
        "intent",
        "complaint",
        2.2,
        "complaint|complain|complaining|unacceptable|disgraceful|disgusting|fed up|sick of|tired of this"
        "|not working|doesn't work|does not work|didn't work|stopped working|won't turn on|broken|broke"
        "|defective|faulty|damaged|wrong item|wrong product|wrong size|wrong colour|wrong color|wrong order"
        "|wrong one|missing item|item missing|was missing|is missing|are missing|were missing|never arrived"
        "|never received|never came|never showed up|still waiting|still not here|still hasn't|still haven't"
        "|no one answer|nobody answer|no one replied|nobody replied|no reply|no response|keep ignoring|rude"
        "|terrible service|poor service|bad service|worst|scam|fraud|cheated|ripped off|rip off|overcharged"
        "|charged twice|double charged|charged me twice|let down|dissatisfied|speak to a manager"
        "|speak to your manager|your manager|a supervisor|mouldy|moldy|rotten|leaking|leaked|stale|torn"
        "|smashed|cracked|shattered|not as described|fake|counterfeit|falling apart|fell apart|crushed"
        "|spoiled|out of date|past its date|false advertising|misleading|unprofessional|nobody help"
        "|no one help|nobody is helping|waste of money|waste of time|hung up on me|third time"
        "|how many time do i|not good enough|came apart|come apart|fallen apart|fell off|came off"
        "|not what i ordered|sent me the wrong|sent the wrong|the wrong thing|got the wrong"
        "|received the wrong|delivered the wrong|not what was|only received|came without|nobody has"
        "|no one has|not one person|been waiting|waited over|waited for|on hold for|hung up|hang up|lied to"
        "|sort this out|sort it out|had enough|last straw|not acceptable|disrespectful|dismissive"
        "|shouted at|money twice|taken twice|billed twice|paid twice|hidden fee|wrong amount|overcharge"
        "|keep crashing|keep failing|keep freezing|kept me waiting|turned up broken|arrived broken"
        "|arrived damaged|dead on arrival|threw my|thrown over|went bad|gone off|gone bad|off smell"
        "|tasted off|smelled off|missing part|part missing|never got|still no|still nothing|no sign of"
        "|lost my parcel|lost my order|lost my package|demand an explanation|want an explanation"
        "|want compensation|compensation|trading standard|legal action|my lawyer|i was promised"
        "|you promised|promised me|broke down|doesn't turn on|does not turn on|no longer working"
        "|no longer work|cheat|false|refuse to help|refused to help|treated badly|bad experience"
        "|terrible experience|poor quality|bad quality|low quality|cheaply made|you sent me"
        "|you have sent me|you gave me|but you sent|instead of the|but got|but i got|but received",
    ),
    (
        "intent",
        "complaint",
        1.0,
        "problem|issue|wrong|mistake|error|late|missing|delayed|disappointed|disappointing|unhappy|annoyed"
        "|angry|frustrated|frustrating|ridiculous|terrible|awful|horrible|useless|ashamed|appalling"
        "|appalled|expired|dirty|smell|smelly|scratched|stain|stained|hair in|melted|incomplete|empty box"
        "|overpriced|crash|crashing|failed again|not right|too slow|didn't receive|did not receive"
        "|haven't received|have not received|hasn't arrived|has not arrived|not arrived|not received"
        "|went wrong|sour|burnt|soggy|raw|undercooked|dented|bent|ripped|faded|shrunk|shrank|peeling|rust"
        "|rusty|noisy|overheat|overheating|drain|flicker|flickering|jammed|stuck|instead of|not the same"
        "|different from|doesn't fit|too small|too big|incorrect|inaccurate|ignored|lied|promised|not as"
        "|mess|fail|failed|failing|poor|bad|disgrace|unsafe|dangerous|allergic reaction|made me ill"
        "|made me sick|cold when|delay|weeks late|day late|week late|hour late|crack|scratch|dent|hole|rash"
        "|snapped|dropped|dead|went dead|line went dead|day off|regret|bothered|shame|fobbed off"
        "|out of order|out of stock again|clearly not|not fresh|never again|off putting|weak|flimsy"
        "|cheap looking|uncomfortable|upset|worried|unreliable|careless|sloppy|clueless",
    ),
    (
        "intent",
        "cancel",
        2.4,
        "cancel|cancelling|canceling|cancelled|canceled|cancellation|unsubscribe|terminate|termination"
        "|close my account|closing my account|delete my account|end my contract|end my subscription"
        "|stop my subscription|stop the subscription|end my membership|stop my membership|quit my plan"
        "|return it|return this|return the|return them|return these|return my|returning|want to return"
        "|like to return|need to return|send it back|send this back|send them back|send these back"
        "|sending it back|want a refund|like a refund|need a refund|get a refund|full refund|refund me"
        "|refund my|refund please|money back|don't want it anymore|don't want it any more|no longer want"
        "|no longer need|changed my mind|change my mind|opt out|stop sending me|stop emailing|stop texting"
        "|take me off|remove me from|withdraw my|call off|void my order|don't renew|do not renew|not renew"
        "|stop auto renewal|turn off auto renew|leave your|switch to another provider|switch provider"
        "|give notice|back out|exchange it|exchange this|exchange them|swap it for|swap this for"
        "|swap them for|send back|bring it back|take it back|end my|end the contract|stop my|stop the"
        "|stop sending|cancel it|get rid of my|leave my contract|quit|swap it|swap this|swap for"
        "|different size instead|get my money|money returned|have my money|reverse the order|undo my order"
        "|undo the|ordered by accident|ordered by mistake|ordered twice|i'm leaving|i am leaving"
        "|move to another|taking my business|do not want it|don't want it|don't need it|do not need it"
        "|don't want this|don't want them|don't need this|don't need them|close the account"
        "|remove my account|erase my|give up my|call it off|bring back|get rid of|revoke|discontinue",
    ),
    (
        "intent",
        "cancel",
        1.2,
        "refund|return|exchange|downgrade|pause my|not interested anymore|leaving you",
    ),
    (
        "intent",
        "buy",
        2.2,
        "want to buy|like to buy|going to buy|wish to buy|need to buy|can i buy|could i buy|let me buy"
        "|want to order|like to order|need to order|can i order|could i order|place an order|place a order"
        "|put in an order|order another|order some|order more|order again|order a|order two|order three"
        "|reorder|re order|want to purchase|like to purchase|i'll take|i will take|i'll have|i would take"
        "|add to my basket|add to my cart|add to cart|add to basket|add it to my|add them to my"
        "|put it in my basket|in my cart|sign me up|sign up for|like to subscribe|want to subscribe"
        "|want to upgrade|like to upgrade|upgrade to|upgrade my|like to book|want to book|like to reserve"
        "|want to reserve|reserve one|pre order|preorder|another one of|same again|the usual please"
        "|restock me|top up my|sold i'll|ready to order|want to get a|like to get a|want to get some"
        "|like to get some|want to get the|like to get the|take one|take two|take three|take four|i'd take"
        "|one more of|two more|three more|four more|put me down|thinking of getting|thinking of buying"
        "|get another|want one|like one|like two|like three|give me two|give me three|repeat my order"
        "|repeat my last|same as last time|stock up|get one of|get two|buy one|buy two|buy a|buy some"
        "|buy this|buy it|buy the|buy more|order one|send me another|send me two|set me up with"
        "|want the new|want another|need another|need more|need two|need three|more of the same|go for the"
        "|i'll go with|i will go with|switch to the bigger|bigger plan|larger plan|bigger package"
        "|faster plan",
    ),
    (
        "intent",
        "buy",
        1.0,
        "buy|buying|purchase|purchasing|subscribe|upgrade|interested in|looking to get|looking for"
        "|shopping for|i need|need some|need a new|want a new|want some|i'd like|i would like|we need"
        "|run out of|running out of|running low|almost out of|get me|book|reserve|add|the usual|please send"
        "|set aside|a dozen|going to need|will need|running short|refill|top up",
    ),
    (
        "intent",
        "ask",
        1.3,
        "do you have|do you sell|do you stock|do you carry|is there a|is there any|are there any"
        "|how much is|how much are|how much doe|how much for|price of|what time|opening hour|open on"
        "|are you open|what is the difference|what's the difference|difference between|compatible with"
        "|recommend|which one|which is better|any advice|advise me|more information|more info|more detail"
        "|does it come|does it have|does it contain|in stock|back in stock|suitable for|good for"
        "|where can i find|where do i find|who can|is it true|am i eligible|any discount|any offer|any deal"
        "|any promotion|on sale|suggest|advise|would you suggest|dishwasher safe|machine washable"
        "|waterproof|gluten free|vegan|made of|made from|ingredient|dimension|how big|how long doe"
        "|how heavy|how many|how old|warranty|guarantee|can't remember|forgot my|forgotten my|where can i"
        "|who do i|what kind|what size|what colour|what color|do you offer|do you accept return|do you do"
        "|have you got|got any|is the|are the|student discount|opening time|instruction|manual|open today"
        "|open tomorrow|still open",
    ),
    (
        "intent",
        "deliver",
        2.4,
        "where is my order|where's my order|where is my parcel|where's my parcel|where is my package"
        "|where's my package|where is my delivery|where's my delivery|where is it|when will it arrive"
        "|when will my order|when will my parcel|when will my package|when is my order|when is my delivery"
        "|when will it be delivered|when will it come|how long will it take to arrive|how long is delivery"
        "|how long is shipping|delivery time|delivery date|delivery slot|delivery address|shipping address"
        "|delivery fee|delivery charge|delivery cost|shipping cost|shipping fee|free delivery|free shipping"
        "|next day delivery|same day delivery|express delivery|home delivery|track my|tracking number"
        "|tracking|change the address|change my address|change address|deliver to|deliver it|ship to"
        "|ship it|out for delivery|leave it with|leave it at|leave it by|pick it up|pick up point"
        "|pickup point|collection point|click and collect|collect my order|reschedule|redeliver|redelivery"
        "|has it shipped|been shipped|been dispatched|expected delivery|whereabout|drop it with|drop it off"
        "|drop it at|my neighbour|my neighbor|do you ship|do you deliver|deliver on|deliver at|be delivered"
        "|get delivered|be home|be out on|not be in|won't be in|safe place|should i expect"
        "|when should i expect|when can i expect|expect the|expect my|when doe it arrive|when will i get"
        "|when do i get|when will i receive|when will you send|has my order|is my order|status of my order"
        "|order status|order update|on it way|on its way|postcode|post code|which courier|what courier"
        "|can you send it to|send it to|brought upstairs|international shipping|overseas|to my office"
        "|to my work",
    ),
    (
        "intent",
        "deliver",
        1.3,
        "delivery|deliver|delivered|delivering|shipping|ship|shipped|shipment|parcel|package|courier|track"
        "|dispatch|dispatched|arrive|arrived|arriving|postage|driver|eta|in transit|locker|doorstep|customs"
        "|van",
    ),
    (
        "intent",
        "pay",
        2.4,
        "pay by|pay with|pay for|pay in|pay my|pay the|pay later|pay online|can i pay|how do i pay"
        "|how can i pay|want to pay|like to pay|payment method|payment option|payment plan|payment failed"
        "|payment page|payment went|payment didn't|payment hasn't|payment not|payment link|make a payment"
        "|card was declined|card declined|card is declined|card got declined|was declined|credit card"
        "|debit card|bank transfer|wire transfer|installment|instalment|direct debit|paypal|apple pay"
        "|google pay|alipay|wechat pay|octopus|my invoice|an invoice|the invoice|copy of the invoice"
        "|vat invoice|my bill|the bill|billing address|where is my refund|where's my refund|refund status"
        "|refund yet|refund arrive|refund come through|refund take|update my card|change my card"
        "|card detail|card on file|gift card|due date|pay it off|balance due|outstanding balance|late fee"
        "|cash on delivery|pay cash|in cash|settle my|american express|amex|visa|mastercard|klarna"
        "|spread the cost|settle it|take card|accept card|accept cash|accept paypal|accept visa"
        "|go through my card|monthly payment|pay monthly|interest free|in instalment|in installment"
        "|pay half|pay back|charge my card|amount due|how much do i owe|owe you|do i owe|proof of payment"
        "|payment due|wire|bank account|bank detail|iban|refund show|refund land|refund been|refund be"
        "|receive my refund|get my refund|refund processed|refund hit|refund in my|refund on my"
        "|refund to my|refund gone|tax invoice|bill due|billing date",
    ),
    (
        "intent",
        "pay",
        1.3,
        "pay|payment|paid|paying|invoice|bill|billing|billed|charge|charged|checkout|transaction|receipt"
        "|bank|transfer|declined|voucher code|promo code|card",
    ),
    (
        "topic",
        "delivery",
        1.0,
        "delivery|deliver|delivered|delivering|shipping|ship|shipped|shipment|parcel|package|courier"
        "|tracking|track|dispatch|dispatched|arrive|arrived|arriving|postage|driver|eta|in transit|locker"
        "|doorstep|customs|never came|never showed up|redeliver|redelivery|collection point|pickup point"
        "|pick up point|click and collect|where is my order|where's my order|delivery address"
        "|shipping address|be home|neighbour|neighbor|ship to|do you ship|postcode|order status"
        "|status of my order|upstairs|turned up|in the post|mailed|mail|send it to|leave it by"
        "|leave it with|leave it at|safe place|when will i get|when will i receive|be here|groceries"
        "|grocery|rung the bell|pick up|pick my order up|collect",
    ),
    (
        "topic",
        "returns",
        1.2,
        "return|returning|returned|refund|refunded|money back|send it back|send this back|send them back"
        "|exchange|exchange it|swap it for|swap this for|swap them for|return it|return this|return the"
        "|return them|return policy|return label|sending it back|send back|sent it back|swap|swap for"
        "|bring it back|want my money back|my money back",
    ),
    (
        "topic",
        "payment",
        1.0,
        "pay|payment|paid|paying|declined|credit card|debit card|bank transfer|installment|instalment"
        "|direct debit|paypal|apple pay|google pay|alipay|wechat pay|octopus|checkout|card was declined"
        "|card declined|payment method|payment failed|gift card|cash on delivery|pay by|pay with|pay for"
        "|american express|amex|visa|mastercard|klarna|spread the cost|settle it|card|wire|interest free"
        "|monthly payment|in instalment|in installment|bank account|accept card|accept cash|pay monthly",
    ),
    (
        "topic",
        "billing",
        1.2,
        "invoice|bill|billing|billed|charge|charged|charged twice|charged me twice|double charged"
        "|overcharged|receipt|statement|my bill|the bill|my invoice|late fee|outstanding balance"
        "|balance due|vat invoice|money twice|taken twice|billed twice|overcharge|wrong amount|hidden fee"
        "|amount due|owe|monthly bill|bill due",
    ),
    (
        "topic",
        "price",
        1.0,
        "price|cost|how much|how much is|how much are|how much doe|how much for|price of|discount|coupon"
        "|voucher|promo code|promotion|on sale|sale|deal|cheaper|cheap|expensive|overpriced|any discount"
        "|any offer|any deal|special offer|price match",
    ),
    (
        "topic",
        "quality",
        1.2,
        "broken|broke|defective|faulty|damaged|quality|mouldy|moldy|rotten|leaking|leaked|stale|torn"
        "|smashed|cracked|shattered|expired|smell|smelly|scratched|stained|melted|fell apart|falling apart"
        "|crushed|spoiled|fake|counterfeit|out of date|taste|tasted|fresh|not working|doesn't work"
        "|stopped working|not as described|came apart|fell off|came off|sour|burnt|soggy|raw|dented|ripped"
        "|faded|shrunk|rust|rusty|overheating|went bad|gone off|poor quality|bad quality|low quality"
        "|cheaply made|not what was|not what i ordered|wrong size|wrong colour|wrong color|wrong item"
        "|sent me the wrong|sent the wrong|hair in|too small|too big|turned up broken|arrived broken"
        "|arrived damaged|you sent me|crack|scratch|dent|hole|rash|snapped|not fresh|throw it away|size"
        "|after one use|sun cream rash",
    ),
    (
        "topic",
        "account",
        1.2,
        "account|password|log in|login|logged in|sign in|username|my profile|email address"
        "|verification code|reset my password|my detail|personal data|privacy|close my account"
        "|delete my account|point|loyalty point|reward point|loyalty card|locked out|two factor"
        "|membership number|member number|my number|delete my|sign up bonus",
    ),
    (
        "topic",
        "subscription",
        1.2,
        "subscription|subscribe|unsubscribe|membership|contract|plan|my plan|renew|renewal|auto renewal"
        "|premium|trial|free trial|end my contract|end my subscription|monthly fee|upgrade|downgrade"
        "|upgrade my|upgrade to|data package|package deal|annual plan|monthly plan|my contract|end my plan"
        "|bigger plan|larger plan|family plan|tariff|renewing|my subscription|plan today|pass|gym|policy"
        "|insurance|unlimited|minimum term|roaming|broadband",
    ),
    (
        "topic",
        "store",
        1.1,
        "store|shop|branch|opening hour|open on|are you open|closing time|opening time|parking"
        "|nearest store|your location|till|queue|shelf|fitting room|close on|what time do you|open today"
        "|open tomorrow|still open|near me|nearby",
    ),
    (
        "topic",
        "service",
        1.2,
        "rude|customer service|staff|agent|manager|supervisor|your manager|call centre|call center|on hold"
        "|hung up on me|no reply|no response|nobody answer|no one answer|unprofessional|complaint|the lady"
        "|the guy|cashier|support team|helpful|polite|your team|hung up|shouted at|nobody has|no one has"
        "|not one person|ignored|no one answered|been waiting on|emailed you|called you|on the phone"
        "|replied|reply|answer me|respond|responded",
    ),
    (
        "topic",
        "technical",
        1.1,
        "app|website|site|web page|crash|crashing|error message|bug|glitch|won't load|not loading|loading"
        "|update the app|wifi|wi fi|internet|signal|install|setup|set up|won't turn on|connect|connection"
        "|bluetooth|firmware|reset|screen|frozen|freezing|keep crashing|freeze|offline|update|plug|pairing"
        "|sync|won't open|cannot log|server|log me out|broadband down|line|down since|router|modem"
        "|technician|engineer",
    ),
    (
        "topic",
        "stock",
        1.1,
        "in stock|back in stock|out of stock|sold out|available|availability|restock|do you have"
        "|do you sell|do you stock|do you carry|stock|have this in|in my size|in a size|any left|left in"
        "|have you got|got any|be back in|back in|restocked",
    ),
    (
        "intent",
        "question",
        0.8,
        "?|??|???|?!|!?|what|how|which|who|when|where|why|can i|could i|is it|are you|do you|does it"
        "|any chance|does this|do these|are these|is this|can you tell|could you tell|would this|will this"
        "|can this|has this|what day|how do i|how can i|how to|is it possible|can it|will it|what doe"
        "|what is|what's|what are|can you check|could you check|do i need|wondering|i wonder|want to know"
        "|like to know|tell me|let me know|question about|have a question|quick question|can you explain",
    ),
    (
        "intent",
        "keep",
        2.4,
        "renew|renewal|renewing|continue my|continue with|keep it|keep them|carry on with|stay with",
    ),
    (
        "topic",
        "product",
        1.0,
        "dishwasher safe|machine washable|waterproof|gluten free|vegan|made of|made from|ingredient"
        "|dimension|how big|how heavy|warranty|guarantee|compatible with|compatible|suitable for|good for"
        "|difference between|what's the difference|what is the difference|does it come|does it have"
        "|does it contain|does this contain|which is better|which one|recommend|manual|instruction"
        "|what size|what colour|what color|feature|model|version|material",
    ),
    (
        "intent",
        "arrival",
        2.4,
        "arrived|delivered|shipped|dispatched|received|turned up|show up|showed up|come yet|here yet",
    ),
)

REFUSING: Final = (
    "aren't arent didn't didnt doesn't doesnt don't dont hardly hasn't hasnt haven't havent isn't isnt"
    " neither never no nor not shouldn't wasn't wasnt weren't without won't wont wouldn't wouldnt"
)

STRESSING: Final = "absolutely completely extremely incredibly really so super too totally very"
