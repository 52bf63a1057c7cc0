"""Six plain sentences with the same meaning in twelve languages and eight scripts, written for this course.

Parallel text is the fairest unit for tokens: "per word" means nothing where words are not set apart by
spaces, and a character of Chinese says more than one of Finnish. Six sentences show an order of magnitude.
"""

from typing import NamedTuple


class Language(NamedTuple):
    """A language's English name, its script, whether spaces part its words, and its six sentences."""

    name: str
    script: str
    spaced: bool
    sentences: tuple[str, ...]


LANGUAGES = (
    Language(
        "English",
        "Latin",
        True,
        (
            "The film was too long, but the ending was beautiful.",
            "My grandmother bakes bread every Sunday.",
            "The train to Berlin leaves at seven o'clock.",
            "I have never seen so much snow.",
            "Where can I buy a good umbrella?",
            "The doctor said that the child needs more sleep.",
        ),
    ),
    Language(
        "Spanish",
        "Latin",
        True,
        (
            "La película era demasiado larga, pero el final fue precioso.",
            "Mi abuela hace pan todos los domingos.",
            "El tren a Berlín sale a las siete.",
            "Nunca he visto tanta nieve.",
            "¿Dónde puedo comprar un buen paraguas?",
            "La médica dijo que el niño necesita dormir más.",
        ),
    ),
    Language(
        "German",
        "Latin",
        True,
        (
            "Der Film war zu lang, aber das Ende war wunderschön.",
            "Meine Großmutter backt jeden Sonntag Brot.",
            "Der Zug nach Berlin fährt um sieben Uhr ab.",
            "Ich habe noch nie so viel Schnee gesehen.",
            "Wo kann ich einen guten Regenschirm kaufen?",
            "Die Ärztin sagte, dass das Kind mehr Schlaf braucht.",
        ),
    ),
    Language(
        "Turkish",
        "Latin",
        True,
        (
            "Film çok uzundu ama sonu çok güzeldi.",
            "Büyükannem her pazar ekmek pişirir.",
            "Berlin treni saat yedide kalkıyor.",
            "Hiç bu kadar çok kar görmemiştim.",
            "Nereden iyi bir şemsiye alabilirim?",
            "Doktor, çocuğun daha çok uyuması gerektiğini söyledi.",
        ),
    ),
    Language(
        "Finnish",
        "Latin",
        True,
        (
            "Elokuva oli liian pitkä, mutta loppu oli kaunis.",
            "Isoäitini leipoo leipää joka sunnuntai.",
            "Juna Berliiniin lähtee kello seitsemän.",
            "En ole koskaan nähnyt näin paljon lunta.",
            "Mistä voin ostaa hyvän sateenvarjon?",
            "Lääkäri sanoi, että lapsen täytyy nukkua enemmän.",
        ),
    ),
    Language(
        "Russian",
        "Cyrillic",
        True,
        (
            "Фильм был слишком длинным, но конец был прекрасен.",
            "Моя бабушка печёт хлеб каждое воскресенье.",
            "Поезд в Берлин отправляется в семь часов.",
            "Я никогда не видел столько снега.",
            "Где можно купить хороший зонт?",
            "Врач сказал, что ребёнку нужно больше спать.",
        ),
    ),
    Language(
        "Greek",
        "Greek",
        True,
        (
            "Η ταινία ήταν πολύ μεγάλη, αλλά το τέλος ήταν υπέροχο.",
            "Η γιαγιά μου φτιάχνει ψωμί κάθε Κυριακή.",
            "Το τρένο για το Βερολίνο φεύγει στις επτά.",
            "Δεν έχω δει ποτέ τόσο πολύ χιόνι.",
            "Πού μπορώ να αγοράσω μια καλή ομπρέλα;",
            "Ο γιατρός είπε ότι το παιδί πρέπει να κοιμάται περισσότερο.",
        ),
    ),
    Language(
        "Arabic",
        "Arabic",
        True,
        (
            "كان الفيلم طويلا جدا، لكن النهاية كانت جميلة.",
            "جدتي تخبز الخبز كل يوم أحد.",
            "يغادر القطار إلى برلين في الساعة السابعة.",
            "لم أر قط هذا القدر من الثلج.",
            "أين يمكنني أن أشتري مظلة جيدة؟",
            "قال الطبيب إن الطفل يحتاج إلى مزيد من النوم.",
        ),
    ),
    Language(
        "Hindi",
        "Devanagari",
        True,
        (
            "फ़िल्म बहुत लंबी थी, लेकिन अंत बहुत सुंदर था।",
            "मेरी दादी हर रविवार को रोटी बनाती हैं।",
            "बर्लिन जाने वाली ट्रेन सात बजे छूटती है।",
            "मैंने इतनी बर्फ़ कभी नहीं देखी।",
            "मैं अच्छा छाता कहाँ से ख़रीद सकता हूँ?",
            "डॉक्टर ने कहा कि बच्चे को और नींद की ज़रूरत है।",
        ),
    ),
    Language(
        "Korean",
        "Hangul",
        True,
        (
            "영화는 너무 길었지만 결말은 아름다웠다.",
            "우리 할머니는 일요일마다 빵을 구우신다.",
            "베를린행 기차는 일곱 시에 출발한다.",
            "이렇게 많은 눈은 본 적이 없다.",
            "좋은 우산은 어디에서 살 수 있나요?",
            "의사는 아이가 잠을 더 자야 한다고 말했다.",
        ),
    ),
    Language(
        "Japanese",
        "Kana and Han",
        False,
        (
            "映画は長すぎたが、結末は美しかった。",
            "祖母は毎週日曜日にパンを焼きます。",
            "ベルリン行きの列車は七時に出ます。",
            "こんなにたくさんの雪は見たことがありません。",
            "良い傘はどこで買えますか。",
            "医者は、その子にはもっと睡眠が必要だと言いました。",
        ),
    ),
    Language(
        "Chinese",
        "Han",
        False,
        (
            "这部电影太长了，但结局很美。",
            "我奶奶每个星期天都烤面包。",
            "去柏林的火车七点开。",
            "我从来没见过这么多雪。",
            "在哪里可以买到一把好雨伞？",
            "医生说孩子需要多睡觉。",
        ),
    ),
)
