"""What is in game reviews beside words: Steam's BBCode, HTML breaks, addresses."""

import re

# Steam's own tags; anything else in brackets, such as [sarcasm], is text.
TAGS = (
    r"b|i|u|h1|h2|h3|list|olist|\*|url|spoiler|strike|quote|code|table|tr|td|th|noparse|hr|img"
    r"|previewyoutube"
)
BBCODE = re.compile(rf"\[/?(?:{TAGS})(?:=[^\]]*)?\]", re.IGNORECASE)
HTML_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s\[\]<>]+", re.IGNORECASE)


def cleaned(text: str) -> str:
    """The words of a text: tags, HTML breaks and addresses become one space, as does any white space.

    >>> cleaned("[h1]Great[/h1]<br />see [url=http://a.b/c]this[/url] [sarcasm] http://x.y/z!")
    'Great see this [sarcasm]'
    """
    for pattern in (HTML_BREAK, BBCODE, ADDRESS):
        text = pattern.sub(" ", text)
    return " ".join(text.split())


def comparable(text: str) -> str:
    """What two texts share that count as the same one: letters and digits, without case.

    >>> comparable("So GOOD!!") == comparable("so good")
    True
    """
    return " ".join(re.findall(r"\w+", text.casefold())) or text
