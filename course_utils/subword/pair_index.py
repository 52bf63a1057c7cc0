"""Every neighboring pair of symbols in a set of words: how often it occurs, and where.

A merge then touches only the places where its pair stands, instead of recounting all words. The symbols of
all words stand in one long row of slots; a merge writes the new symbol into the left slot and unlinks the
right one.
"""

from collections import defaultdict
from collections.abc import Sequence

# A pair (left, right) of symbol ids is kept as one integer, left << 32 | right: integers sort as the pairs
# do, and are faster than tuples to hash and to compare.
PAIR_BITS = 32
RIGHT = (1 << PAIR_BITS) - 1
_BORDER, _UNLINKED = -1, -2


class PairIndex:
    """Counts and places of all pairs.

    words: each a list of symbol ids >= 0. counts: how often each word occurs in the text.
    `counts[pair]` is the number of occurrences in the text, 0 for a pair that is gone.

    >>> index = PairIndex([[0, 1, 2], [0, 1]], [5, 2])
    >>> {divmod(pair, 1 << PAIR_BITS): count for pair, count in index.counts.items()}
    {(0, 1): 7, (1, 2): 5}
    >>> made, merged = index.merge(0, 1, 3)
    >>> {divmod(pair, 1 << PAIR_BITS): index.counts[pair] for pair in made}, merged
    ({(3, 2): 5}, 7)
    """

    def __init__(self, words: Sequence[Sequence[int]], counts: Sequence[int]) -> None:
        symbols, weights = [_BORDER], [0]
        for word, count in zip(words, counts, strict=True):
            symbols += word
            symbols.append(_BORDER)
            weights += [count] * (len(word) + 1)
        self._symbols, self._weights = symbols, weights
        self._next = list(range(1, len(symbols) + 1))
        self._previous = list(range(-1, len(symbols) - 1))
        self.counts: defaultdict[int, int] = defaultdict(int)
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        left = _BORDER
        for slot, right in enumerate(symbols):
            if left >= 0 and right >= 0:
                pair = left << PAIR_BITS | right
                self.counts[pair] += weights[slot]
                self._places[pair].append(slot - 1)
            left = right

    def merge(self, left: int, right: int, new: int) -> tuple[set[int], int]:
        """Write `new` wherever `left` stands before `right`, from left to right.

        Returns the pairs that this made, and how many occurrences were merged: the pair's count, or less
        where occurrences overlap (of aaa the first two are merged). The merged pair's count is 0 after that.
        """
        symbols, after, before = self._symbols, self._next, self._previous
        lefts: defaultdict[int, list[int]] = defaultdict(list)  # neighbor's symbol -> its slots
        rights: defaultdict[int, list[int]] = defaultdict(
            list
        )  # neighbor's symbol -> slots of the new symbol
        merged: list[int] = []
        for slot in self._places.pop(left << PAIR_BITS | right, ()):
            second = after[slot]
            if symbols[slot] != left or symbols[second] != right:
                continue  # an earlier merge took one of the two
            neighbor, third = before[slot], after[second]
            lefts[symbols[neighbor]].append(neighbor)
            rights[symbols[third]].append(slot)
            symbols[slot], symbols[second] = new, _UNLINKED
            after[slot], before[third] = third, slot
            merged.append(slot)
        made = {
            *(
                self._replace(symbol, left, symbol, new, slots)
                for symbol, slots in lefts.items()
                if symbol >= 0
            ),
            *(
                self._replace(right, symbol, new, symbol, slots)
                for symbol, slots in rights.items()
                if symbol >= 0
            ),
        }
        self.counts[left << PAIR_BITS | right] = 0
        return made, sum(map(self._weights.__getitem__, merged))

    def _replace(self, old_left: int, old_right: int, left: int, right: int, slots: list[int]) -> int:
        """Count the pair (left, right) instead of the old one at `slots`; return it."""
        weight = sum(map(self._weights.__getitem__, slots))
        pair = left << PAIR_BITS | right
        self.counts[old_left << PAIR_BITS | old_right] -= weight
        self.counts[pair] += weight
        self._places[pair] = slots
        return pair
