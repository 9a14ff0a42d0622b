"""Which everyday goods does a Chinese word mean, where a catalogue has English names only?

In simplified characters; traditional ones, and the words of Taiwan and Hong Kong listed beside them, meet
these after :func:`recommend.script_forms.plain`. A name the catalogue itself has in Chinese comes before.
"""

from __future__ import annotations

from typing import Final

# English word in the singular, then the Chinese ones.
GOODS: Final = """
coffee 咖啡 | tea 茶 茶叶 | table 茶几 桌子 | milk 牛奶 鲜奶 | yogurt 酸奶 优格 乳酪
cheese 奶酪 起司 芝士 | butter 黄油 牛油 奶油 | egg 鸡蛋 | bread 面包 | cake 蛋糕 | cookie 饼干 曲奇
cracker 苏打饼 | chocolate 巧克力 朱古力 | candy 糖果 | ice cream 冰淇淋 雪糕 冰激凌 | juice 果汁
water 矿泉水 瓶装水 | soda 汽水 | beer 啤酒 | wine 红酒 葡萄酒 | rice 大米 白米 | noodle 面条 拉面
pasta 意面 意粉 意大利面 | flour 面粉 | sugar 白糖 砂糖 | salt 食盐 | oil 食用油 花生油 | sauce 酱料
vinegar 白醋 | honey 蜂蜜 | cereal 麦片 谷物 | oatmeal 燕麦 | pizza 披萨 薄饼
sandwich 三明治 三文治 | beef 牛肉 | pork 猪肉 | chicken 鸡肉 | turkey 火鸡 | fish 鱼肉
salmon 三文鱼 鲑鱼 | shrimp 鲜虾 虾仁 | sausage 香肠 | bacon 培根 烟肉 | apple 苹果 | banana 香蕉
orange 橙子 柳橙 | grape 葡萄 提子 | strawberry 草莓 士多啤梨 | lemon 柠檬 | tomato 番茄 西红柿
potato 土豆 马铃薯 薯仔 | onion 洋葱 | carrot 胡萝卜 红萝卜 | lettuce 生菜 | cabbage 卷心菜
mushroom 蘑菇 | broccoli 西兰花 花椰菜 | salad 沙拉 沙律 色拉 | fruit 水果 生果 | vegetable 蔬菜
snack 零食 | chip 薯片 洋芋片 | nut 坚果 | diaper 尿布 纸尿裤 尿片 | formula 奶粉
shampoo 洗发水 洗发精 洗头水 | conditioner 护发素 润发乳 | soap 肥皂 香皂 | toothpaste 牙膏
toothbrush 牙刷 | tissue 纸巾 面纸 | towel 毛巾 | detergent 洗衣液 洗衣精 洗衣粉 | perfume 香水
lipstick 口红 唇膏 | razor 剃须刀 | vitamin 维生素 维他命 | candle 蜡烛 | flower 鲜花 | battery 电池
bulb 灯泡 | phone 手机 | laptop 笔记本电脑 笔电 | computer 电脑 | camera 相机 | headphone 耳机
speaker 音箱 喇叭 | television 电视 | printer 打印机 印表机 | ink 墨水 墨盒 | keyboard 键盘
mouse 鼠标 滑鼠 | charger 充电器 | cable 数据线 充电线 | refrigerator 冰箱 雪柜 | oven 烤箱 焗炉
microwave 微波炉 | kettle 水壶 | fan 风扇 | heater 暖气 电暖 | lamp 台灯 | vacuum 吸尘器
shirt 衬衫 恤衫 | dress 连衣裙 | jacket 外套 夹克 | coat 大衣 | jean 牛仔裤 | shoe 鞋子
sneaker 运动鞋 波鞋 球鞋 | boot 靴子 | sock 袜子 | hat 帽子 | scarf 围巾 颈巾 | bag 包包 书包
suitcase 行李箱 | watch 手表 | ring 戒指 | necklace 项链 颈链 | sofa 沙发 梳化 | chair 椅子
mattress 床垫 床褥 | pillow 枕头 | blanket 毯子 被子 | curtain 窗帘 | mirror 镜子 | pan 平底锅 煎锅
knife 刀具 菜刀 | bottle 水瓶 保温杯 | toy 玩具 | book 书本 | bicycle 自行车 单车 脚踏车
ticket 门票
"""


def in_chinese() -> dict[str, tuple[str, ...]]:
    """Return English words, each with the Chinese words for it.

    >>> in_chinese()["coffee"], in_chinese()["ice cream"]
    (('咖啡',), ('冰淇淋', '雪糕', '冰激凌'))
    """
    found: dict[str, tuple[str, ...]] = {}
    for entry in GOODS.replace("\n", "|").split("|"):
        words = entry.split()
        english = [word for word in words if word.isascii()]
        if english:
            found[" ".join(english)] = tuple(words[len(english) :])
    return found
