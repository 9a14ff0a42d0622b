"""Which English words are so common that no slip of a cue, and no item, must be seen in them?"""

from __future__ import annotations

from typing import Final

# Words that are about anything: alone, they never name an item.
EVERYDAY: Final = (
    "a about above across actually after afternoon again against ago all almost along already also"
    " although always am an and another any anyone anything anyway april are around as ask asked asking"
    " at august away back be because become been before began behind being below besides better between"
    " beyond big bigger both brought but by calling calls came cannot change close come comes coming"
    " could day december despite did does doing done down during each early eight either eleven else end"
    " enough even evening ever every everyone everything except excuse face fact fairly family far"
    " february feel felt few fewer find first follow found four friend from front full further gave get"
    " getting girl give given go goes going gone got group guess had half hand happen hard has have"
    " having he head hear heard heart held hello help her here hers herself high him himself his hold"
    " home hopes hour hours house how however i idea if important in instead into is it its itself"
    " january july june just keep keeping keeps kept kid kind kindly knew know known large larger last"
    " lately later lead learn least leave left less let life light liked likely likes line list little"
    " live long longer look looked looking looks lost lot made main make makes making man many march"
    " matter may maybe me mean meant member men might mind minute minutes moment monday money month"
    " months more most move much must my name near nearly need needs never new next night none nor"
    " nothing november now october of off office often old on once one ones only onto open or other"
    " others our out outside over own pardon part past people perhaps place plan play please point"
    " possible present pretty probably put quite ran rather reach read real really reason regards right"
    " room round run said same saturday saw say saying school second see seem seemed seems seen send sent"
    " september set seven several shall she should show side simply since sir size small smaller some"
    " someone something soon sooner sorry sort sound spend spoke stand started state stay stays still"
    " stop story such sure system take taken takes taking talk tell than thanks that the their them then"
    " there these they thing things think third this those though thought three through thursday time"
    " times to today together told tomorrow too took toward town tried true try trying tuesday turn"
    " turned turns twelve twenty two under until up upon us use used using usual usually very visit wait"
    " waited walk want wanted wants was way we wednesday week weekend weeks well went were what whatever"
    " when whenever where whether which while who whole whom whose why wife will wishes with within"
    " without woman women wonder word work works world would write year years yes yesterday yet you young"
    " your yours yourself"
)

# Words that are spelt right, though a cue looks much like them.
SPELT_RIGHT: Final = (
    "accident accidentally anybody apples autumn babies baby bag bags banana bananas batteries battery"
    " beans bedroom beef birthday biscuit biscuits black blanket blend bottle bottles bread bring brother"
    " brown butter cable called camera candle candles card carrot carrots cereal chair charger cheap"
    " cheese cherry chicken child christmas clear coat coffee cookie cookies curtain curtains daughter"
    " dear door dress email emailed emails extra father floor forget forgot friday garden glass grape"
    " grapes green guessed hat headphones heavier herbs higher holiday honey hoped hoping husband inside"
    " jacket jeans juice jumper keyboard kitchen laptop lemon lighter lower madam market medium message"
    " messages mine mister mobile monitor morning mother mouse newer nicer noodle number numbers older"
    " onion onions online orange order orders paper parents parties party pasta peach pepper person phone"
    " phoned phones pillow plate pork potato price prices printer purple reads roast salmon sauce sheet"
    " sheets shirt shoe shoes shops shorter sister socks speaker speakers spends spent spice spring"
    " staffs start store strawberries strawberry stuff sugar summer sunday table tablet texted threw"
    " thrown tonight towel towels trousers truly watch water website wedding white wider winter wished"
    " wonders writes written yellow yogurt"
)
