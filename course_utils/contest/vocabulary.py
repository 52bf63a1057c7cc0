"""What both worlds have in common: token ids, some of them special, and texts to learn a head from."""

from typing import Protocol

from torch import Tensor

from course_utils.objectives import SpecialTokens


class Vocabulary(Protocol):
    """Whatever the texts are made of; the formal language is one, a WordPiece vocabulary another."""

    @property
    def tokens(self) -> SpecialTokens:
        """The special ids, and how many ids there are."""


class Lesson(Protocol):
    """The few texts that a common measure may learn from."""

    @property
    def language(self) -> Vocabulary:
        """What the texts are made of."""

    @property
    def tuning_texts(self) -> Tensor:
        """Ids, (texts, length), without [CLS]."""
