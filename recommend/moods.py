"""Which words tell a mood, from -2 to 2, and which tell nothing though a cue stands in them?

Rows as in :mod:`recommend.cues_en`. Quiet phrases ("good morning", "你好", "订单") are read over as a whole,
so that the cue inside them is not heard.
"""

from __future__ import annotations

from typing import Final

from recommend.cues_en import Row

ENGLISH: Final[tuple[Row, ...]] = (
    (
        "mood",
        "",
        1.0,
        "good|nice|happy|pleased|satisfied|helpful|polite|quick|fast|easy|enjoy|enjoyed|like it|smooth"
        "|friendly|fine|recommended|comfortable|tasty|fresh|reliable|kind|well done|works well|worked well"
        "|cheers|appreciate|appreciated|glad|cool|yummy|well made|good quality|great value|good value"
        "|pretty|beautiful|gorgeous|super|stylish|thoughtful|patient|efficient|on time|pleasure|early"
        "|wrapped|lovely team|over the moon|beautifully|thrilled",
    ),
    (
        "mood",
        "",
        1.8,
        "great|excellent|amazing|awesome|fantastic|wonderful|perfect|brilliant|love it|love this|love the"
        "|loved|superb|outstanding|best|delicious|delighted|impressed|thank you so much|thanks so much"
        "|thanks a lot|many thanks|lovely|very happy|so happy|five star|top notch|made my day|life saver"
        "|lifesaver|can't fault|much appreciated|great job|good job|absolutely love|really love|love"
        "|best ever|exceptional|excellent service|great service|star|spot on|incredible|magnificent"
        "|flawless",
    ),
    (
        "mood",
        "",
        0.5,
        "thanks|thank|thank you|thx|ty",
    ),
    (
        "mood",
        "",
        -1.0,
        "bad|poor|slow|late|wrong|problem|issue|annoyed|annoying|unhappy|disappointed|disappointing"
        "|difficult|confusing|missing|damaged|broken|broke|faulty|defective|dirty|upset|worried|delayed"
        "|expensive|overpriced|mistake|unfair|misleading|stale|smelly|torn|scratched|cracked|leaking"
        "|expired|still waiting|still hasn't|still haven't|failed|unfortunately|unreliable|inconvenient"
        "|overcharged|never arrived|never received|never came|no reply|no response|too late|not good enough"
        "|regret|shame|ignored|struggling|charged twice|charged me twice|came apart|not what i ordered|sour"
        "|burnt|soggy|dented|ripped|rust|mess|fail|failing|crashing|keep crashing|sort this out"
        "|been waiting|hung up|wrong item|smashed|crushed|overcharge|money twice|taken twice|billed twice"
        "|lied|bad quality|poor quality|gone off|went bad|sad|complaint|complain|not working"
        "|stopped working|doesn't work|won't load|threw my|no one has|nobody has|not one person"
        "|sent me the wrong|sent the wrong|compensation|still no|still nothing|moldy|too expensive"
        "|uncomfortable|unacceptably|hair in|not what was|not fresh|rash|snapped|crack|scratch|dead"
        "|bothered|driving me mad|shame on|throw it all away|weak|flimsy|careless|sloppy|fee that nobody",
    ),
    (
        "mood",
        "",
        -2.0,
        "terrible|awful|horrible|worst|disgusting|disgraceful|unacceptable|ridiculous|useless|pathetic"
        "|furious|angry|fed up|sick of|hate|scam|fraud|cheated|ripped off|rip off|appalling|appalled|rude"
        "|joke|nightmare|outrageous|rubbish|garbage|crap|shit|damn|wtf|never again|liar|thief|rotten|mouldy"
        "|moldy|disgusted|waste of money|waste of time|frustrated|frustrating|complete mess|shocking"
        "|dreadful|dissatisfied|let down",
    ),
    (
        "quiet",
        "",
        0.0,
        "good morning|good afternoon|good evening|good day|good night|kind of|kind regards|best regards"
        "|best wishes|as fast as|fast as possible|no problem|no worries|not a problem|what's up|would like"
        "|how are you|the best way|best way|best time|kindly|in good time|for a good|fine by|in order to"
        "|to order of|too late to|it's fine|that's fine|happy to wait|good to know|is anybody there"
        "|anybody there|anyone there|is anyone there|are you there|anybody there ?|is anybody there ?"
        "|anyone there ?|is anyone there ?|are you there ?|hello ?|hi ?|what a|what an|let me think"
        "|think about it|get back to you|just looking|just browsing|not looking to buy|not looking"
        "|looking to buy something",
    ),
)

CHINESE: Final[tuple[Row, ...]] = (
    (
        "mood",
        "",
        1.0,
        "好|不错|可以的|满意|喜欢|方便|好用|实用|好吃|好喝|新鲜|划算|便宜又|很快|及时|耐心|热情|贴心|舒服"
        "|推荐给|放心|靠谱|开心|高兴|感谢|辛苦了|值得|顺利|漂亮|合适|几好|好正|抵买|好味|有心|nice|超好用"
        "|很好喝|好耐性|有耐性|很不错|蛮好|挺好|满好|真香|细心|周到|给力|省心|友善|亲切|正品",
    ),
    (
        "mood",
        "",
        1.8,
        "非常好|太好了|很好|真好|超好|特别好|棒|太棒|很棒|完美|优秀|惊喜|超喜欢|很喜欢|爱了|非常满意|很满意"
        "|十分满意|点赞|好评|五星|一流|超赞|赞|非常感谢|太感谢|万分感谢|感激|救了|最好|超级好|物超所值"
        "|性价比高|劲正|多谢晒|真心不错|太贴心|great|perfect|真的很棒|好棒|好正|超好用|好满意|满分|优质"
        "|超推荐|很赞",
    ),
    (
        "mood",
        "",
        0.5,
        "谢谢|多谢|唔该|谢了|感恩|麻烦了|3q",
    ),
    (
        "mood",
        "",
        -1.0,
        "差|慢|太慢|坏|坏了|破了|破损|碎了|脏|旧|贵|太贵|难用|麻烦死|失望|不满|错了|发错|寄错|送错|少发"
        "|漏发|过期|变质|发霉|问题|有问题|没人理|没人回|没人接|没人管|不回复|没有回复|迟到|延误|还没收到"
        "|一直没收到|等了很久|等了好久|拖了|不行|不好|不太好|不喜欢|不满意|不合适|不好用|不新鲜|难吃|难喝"
        "|异味|担心|着急|急死|遗憾|可惜|无语|不方便|不值|敷衍|多扣|扣了两次|重复扣款|乱扣费|乱收费|质量差"
        "|品质差|瑕疵|不对|冇人理|坏咗|烂咗|等咗好耐|好嬲|烦|好烦|假的|还没到|不能用|用不了|没法用|打不开"
        "|闪退|卡死|态度不好|压坏|压扁|摔坏|漏了|唔好|唔得|开胶|掉色|断了|裂开|变形|生锈|黑屏|没声音"
        "|没有声音|不亮|酸了|是酸的|馊|压碎|碎|爱理不理|不舒服|口气|挂电话|不耐烦|打不通|没影|影子都|不一样"
        "|却是|怎么回事|搞什么|忽悠|莫名其妙|凭什么|当机|刷了两次|刷了我两次|扣了两|多收了|多扣了|到现在还"
        "|都还没|骗|上当|不是我订|烂|破|bug|等了|冇人听|难受|用咗|错咗|少咗|开唔到|尺寸不对|才买|还没影"
        "|破质量|收多了|多收|没收到|缩水|不符|是烂|明明|竟然|居然|根本|寄错东西|掉了|疹|不爽|傻眼|很扯|崩溃"
        "|抓狂|没来|凉透|糊了|刮痕|划痕|鸽子|没法|error|没帮上|不解决|凭空|莫名|唔新鲜|冇人接",
    ),
    (
        "mood",
        "",
        -2.0,
        "太差|很差|极差|最差|差劲|垃圾|恶心|糟糕|糟透|烂透|太烂|超烂|很烂|气死|生气|愤怒|火大|受够|忍无可忍"
        "|骗子|骗人|被骗|欺骗|坑人|太坑|坑爹|离谱|太离谱|过分|太过分|恶劣|态度差|态度恶劣|态度很差|后悔"
        "|再也不|再也不会|坚决不|无耻|黑心|奸商|假货|差评|投诉|讨厌|恨|他妈|妈的|狗屁|什么玩意|什么鬼"
        "|搞什么|太失望|非常失望|很失望|失望透顶|极度失望|非常不满|不可接受|无法接受|服务太差|服务差"
        "|质量太差|品质太差|品质很差|神经病|嬲|激死|好离谱|黑店|黐线|差到|烂到|扑街|超差|烦死|感觉被骗"
        "|服务太烂|气人|太气|搞乜|什么破|根本没|忍不了|受不了|烂透了",
    ),
    (
        "quiet",
        "",
        0.0,
        "你好|您好|好的|好吗|好吧|最好|刚好|好久|好多|好像|正好|只好|还好|好几|好不好|不好意思|订单|单号"
        "|早上好|晚上好|下午好|中午好|好啊|好滴|好呀|哈喽|大家好|没问题|没关系|没事|冇问题|不客气|唔紧要"
        "|钱包|刷新|刷牙|牙刷|刷子|买家|卖家|贵公司|贵司|差不多|出差|时差|差价|补差|问题不大|有个问题"
        "|一个问题|个问题|几个问题|问个问题|请教|打错|快递费用|感谢您的来信|贵姓|付出|正在|正常|正面|正式"
        "|正规|真正|改正|更正|好友|爱好|美好|友好|好处|良好|问好|较好|快餐|快乐|快速|愉快|凉快|块钱|账号"
        "|帐号|尽快|赶快|快点|电费|说好的|说好|麻烦|在吗|在吗 ?|有人在吗|有人在吗 ?|在不在|有人吗|有人吗 ?"
        "|可唔可以|系唔系|好唔好|能不能|可不可以|会不会|要不要|行不行|对不对|什么时候过期|会过期吗|几时过期"
        "|还没拆|没拆|未拆|过期日|不好吃吗|好了吗|好不好吃|快过期吗|考虑考虑|考虑一下|再想想|想一想"
        "|随便看看|不是要买|不是要买东西|看看而已|约好|买一送一|送一|还好吗|好好|好几次|的好|搞好|修好|弄好"
        "|做好|办好|好的吧|就好|好用吗|好一点",
    ),
)
