"""How is a message read alike, be it in traditional or simplified characters, wide or narrow letters?

The table maps traditional characters to simplified ones, one to one, for the characters that occur in talk
about orders, goods, money and moods. It serves matching only: nothing that a person reads is ever converted
by it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Traditional character followed by its simplified one.
_PAIRS: Final = """
們们 個个 這这 來来 時时 會会 為为 說说 國国 過过 後后 麼么 還还 沒没 對对 開开 見见 經经
頭头 問问 現现 點点 樣样 實实 無无 關关 長长 動动 給给 從从 當当 學学 進进 種种 間间 樂乐
機机 氣气 話话 電电 聽听 應应 該该 請请 謝谢 買买 賣卖 價价 錢钱 貨货 單单 訂订 購购 費费
運运 遞递 郵邮 號号 碼码 賬账 帳账 戶户 員员 務务 業业 產产 質质 壞坏 換换 補补 償偿 賠赔
發发 顯显 狀状 態态 連连 絡络 網网 線线 離离 門门 車车 達达 遲迟 讓让 誤误 錯错 處处 辦办
題题 難难 慘惨 爛烂 騙骗 貴贵 優优 減减 贈赠 禮礼 積积 級级 證证 驗验 認认 識识 記记 錄录
寫写 讀读 書书 紙纸 裝装 損损 傷伤 裡里 裏里 邊边 東东 極极 總总 統统 絕绝 終终 結结 約约
續续 繳缴 納纳 幣币 銀银 鐘钟 幾几 隻只 條条 張张 塊块 歲岁 廳厅 廣广 場场 園园 圖图 團团
報报 導导 專专 將将 尋寻 屬属 歷历 曆历 壓压 縮缩 顏颜 藍蓝 綠绿 紅红 黃黄 鮮鲜 魚鱼 雞鸡
鴨鸭 麵面 飯饭 餅饼 館馆 飲饮 飽饱 餓饿 餘余 麥麦 鹽盐 醬酱 鹹咸 湯汤 蘋苹 檸柠 蔥葱 薑姜
筍笋 豬猪 貓猫 馬马 鳥鸟 龍龙 龜龟 蟲虫 蝦虾 蠔蚝 鍋锅 爐炉 燈灯 燙烫 燒烧 熱热 溫温 涼凉
凍冻 潔洁 淨净 濕湿 潤润 滿满 濃浓 淺浅 淚泪 漲涨 灣湾 灘滩 燦灿 煩烦 愛爱 憂忧 慮虑 憤愤
憑凭 懶懒 懷怀 懸悬 戀恋 戰战 戲戏 擇择 擊击 擔担 據据 擴扩 擾扰 攔拦 攜携 攝摄 敗败 敵敌
數数 斷断 於于 昇升 晝昼 暫暂 曉晓 楊杨 構构 槍枪 樓楼 標标 樹树 橋桥 檔档 檢检 櫃柜 權权
歡欢 歐欧 殘残 殺杀 氫氢 決决 沖冲 況况 淒凄 測测 準准 溝沟 滅灭 滾滚 漢汉 潛潜 澤泽 濟济
瀏浏 灑洒 災灾 烏乌 煙烟 爭争 爺爷 牆墙 牽牵 狹狭 獎奖 獨独 獲获 環环 瓊琼 畢毕 畫画 異异
療疗 癢痒 盜盗 盡尽 監监 盤盘 眾众 睏困 瞭了 矯矫 礎础 禍祸 稅税 稱称 穀谷 穩稳 窮穷 竊窃
競竞 筆笔 節节 範范 築筑 簡简 簽签 籃篮 糧粮 糾纠 紀纪 純纯 紛纷 細细 組组 絲丝 綁绑 維维
緊紧 緒绪 編编 緩缓 練练 縣县 縫缝 織织 繼继 罰罚 罵骂 罷罢 羅罗 義义 習习 聖圣 聞闻 聯联
聲声 職职 腦脑 腳脚 臉脸 臨临 舊旧 艙舱 艱艰 莊庄 華华 萬万 葉叶 蓋盖 藝艺 藥药 蘇苏 蘭兰
虛虚 蠟蜡 衛卫 衝冲 複复 復复 襪袜 襯衬 規规 視视 覺觉 覽览 觀观 觸触 訊讯 討讨 訓训 託托
設设 許许 訴诉 診诊 評评 詞词 詢询 試试 詳详 誇夸 誌志 誠诚 誰谁 課课 調调 談谈 諒谅 論论
諮谘 講讲 譯译 議议 護护 變变 讚赞 豐丰 貝贝 負负 財财 貢贡 貧贫 貸贷 貼贴 貿贸 賀贺 資资
賓宾 賞赏 賢贤 賤贱 賴赖 賺赚 贊赞 贏赢 趕赶 趙赵 跡迹 踐践 軟软 較较 載载 輕轻 輛辆 輪轮
輸输 轉转 辭辞 農农 迴回 遊游 違违 遠远 適适 選选 遺遗 邏逻 鄉乡 鄰邻 醜丑 醫医 釋释 針针
釘钉 鈴铃 銷销 鋪铺 錶表 鍵键 鎖锁 鎮镇 鏡镜 鐵铁 鑰钥 閃闪 閉闭 閒闲 闆板 陣阵 陰阴 陳陈
陸陆 陽阳 隊队 階阶 際际 隨随 險险 隱隐 雙双 雜杂 雲云 霧雾 靈灵 靜静 韓韩 頁页 頂顶 項项
順顺 須须 預预 頓顿 領领 頻频 顆颗 額额 願愿 類类 顧顾 風风 飛飞 養养 驚惊 鬆松 鬧闹 魯鲁
鮑鲍 齊齐 齒齿 妳你 係系 佔占 併并 俠侠 倉仓 偵侦 側侧 傳传 債债 傾倾 僅仅 億亿 儀仪 儘尽
兒儿 兩两 冊册 剛刚 創创 劃划 劇剧 劑剂 勁劲 勞劳 勝胜 勵励 區区 協协 參参 啟启 喚唤 嗎吗
嘆叹 嘗尝 噴喷 嚇吓 嚐尝 嚴严 囉啰 圍围 圓圆 執执 堅坚 墊垫 墜坠 壘垒 夠够 夾夹 奪夺 奮奋
婦妇 媽妈 嬰婴 孫孙 宮宫 寬宽 審审 寧宁 寶宝 尷尴 層层 屜屉 島岛 師师 帶带 幫帮 幹干 庫库
廁厕 廚厨 廢废 廠厂 強强 彈弹 彙汇 徑径 徹彻 恆恒 惡恶 惱恼 慣惯 慶庆 憐怜 憲宪 懇恳 掃扫
掛挂 採采 揀拣 揚扬 搖摇 搶抢 撥拨 撿捡 擠挤 擺摆 攤摊 敘叙 斃毙 卻却 麗丽 鬱郁 颱台 臺台
週周 僱雇 嘔呕 啞哑 囑嘱 壯壮 夢梦 妝妆 姊姐 娛娱 屆届 巖岩 帥帅 廟庙 慚惭 憶忆 捨舍 掙挣
暈晕 柵栅 著着 乾干 傢家 嘩哗 鈔钞 閱阅 屍尸 籌筹 艦舰 碩硕 檯台 櫥橱 濾滤 溼湿 餵喂 鍊链
鏈链 齡龄 佈布 彆别 別别 擱搁 煉炼 獻献 刪删 鴿鸽 螢萤 噁恶 騎骑 祕秘 緻致 繞绕 膠胶 臟脏
髒脏 菸烟 莖茎 蔣蒋 薦荐 蝕蚀 訝讶 訣诀 諷讽 謊谎 謠谣 譜谱 豎竖 賦赋 賭赌 贓赃 躍跃 軌轨
軍军 轟轰 辯辩 邁迈 鄭郑 醃腌 鈍钝 鈕钮 鉛铅 銅铜 銳锐 鋼钢 錦锦 鎊镑 鑒鉴 闖闯 韌韧 飄飘
飢饥 飼饲 餌饵 饋馈 饒饶 駕驾 駛驶 騷骚 驅驱 驟骤 髮发 鯊鲨 鱗鳞 鳳凤 鴻鸿 鵝鹅 鹵卤 黨党
攪搅 攢攒 暢畅 棄弃 棧栈 榮荣 歸归 殼壳 毀毁 氈毡 汙污 淪沦 渦涡 湊凑 滲渗 漸渐 澀涩 濺溅
瀝沥 營营 獅狮 瑪玛 畝亩 疊叠 瘋疯 癮瘾 皺皱 瞞瞒 磚砖 禪禅 窩窝 窯窑 竄窜 篩筛 簾帘 籤签
糞粪 紋纹 紡纺 紗纱 紮扎 紹绍 絨绒 綜综 綿绵 緣缘 縛缚 縱纵 績绩 繃绷 繩绳 繪绘 纏缠 翹翘
聾聋 肅肃 脹胀 腎肾 腫肿 腸肠 膚肤 膩腻 膽胆 臘腊 艷艳 蒼苍 薩萨 蘆芦 蟬蝉 蠅蝇 褲裤 訪访
詐诈 詭诡 譽誉 賊贼 趨趋 踴踊 軸轴 輔辅 輝辉 輯辑 轄辖 遜逊 遼辽 釀酿 鈣钙 鈉钠 鉤钩 銘铭
鋒锋 鋰锂 錫锡 鍍镀 鍛锻 鎂镁 鏟铲 鑲镶 鑽钻 閘闸 閣阁 闊阔 頌颂 頑顽 頒颁 頸颈 顛颠 顫颤
颳刮 飾饰 餡馅 餚肴 饅馒 饞馋 馴驯 駐驻 駝驼 驕骄 鬥斗 鮪鲔 鯉鲤 鯨鲸 鱈鳕 鱉鳖 鶴鹤 鷹鹰
喫吃 爲为 啓启 衆众 麪面 峯峰 牀床 捲卷 羣群 綫线 鷄鸡 嘰叽 撐撑 塗涂 燜焖 爍烁 牠它 祂他
箇个 痠酸 瓏珑 瑩莹 瑣琐 蕭萧 蔭荫 薔蔷 蘿萝 蠶蚕 蠍蝎 襖袄 詣诣 誕诞 諾诺 謀谋 謎谜 譴谴
賜赐 贖赎 軀躯 輻辐 轎轿 鏽锈 鑄铸 銹锈 鐲镯 陞升 黴霉 髏髅 鬢鬓 鯽鲫 鱔鳝 鴉鸦 鵲鹊 鸚鹦
齣出
"""
TRADITIONAL_TO_SIMPLIFIED: Final[dict[int, str]] = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}

_TOKEN: Final = re.compile(
    r"[a-z]+(?:'[a-z]+)?|[0-9]+|[\u3400-\u9fff]|[?!]+|[^\w\s]", re.ASCII | re.IGNORECASE
)
_APOSTROPHES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'"})
LONGEST: Final = 400  # characters heard of one message


def plain(text: str) -> str:
    """Return a text in one form: narrow lower-case letters, simplified characters.

    >>> plain("訂單ＡＢＣ 還沒收到")
    '订单abc 还没收到'
    """
    narrow = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_APOSTROPHES)
    return narrow.lower().translate(TRADITIONAL_TO_SIMPLIFIED)


def tokens(text: str) -> list[str]:
    """Split a plain text into words, numbers, single Chinese characters and marks; plurals become singulars.

    >>> tokens(plain("My deliveries didn't come!! 退貨"))
    ['my', 'delivery', "didn't", 'come', '!!', '退', '货']
    """
    return [singular(token) for token in _TOKEN.findall(text)]


def singular(word: str) -> str:
    """Return an English word without the ending of a plural; good enough to meet its own other form.

    >>> [singular(word) for word in ("tomatoes", "boxes", "berries", "coffees", "glass", "bus", "this")]
    ['tomato', 'box', 'berry', 'coffee', 'glass', 'bus', 'this']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word.removesuffix("'s") if len(word) > 4 else word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("oes", "xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word[:-1]
