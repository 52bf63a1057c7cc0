"""Every neighboring pair of symbols in a set of words: how often it occurs, and where.

A merge then touches only the places where its pair stands, instead of recounting all words. The characters
of all words stand in one long row of slots. A symbol fills as many slots as it has characters, and its id
stands in the first and the last of them: so its neighbors are found one slot before it and one behind it.
"""

from collections import defaultdict
from collections.abc import Sequence

# A pair (left, right) of symbol ids is kept as one integer, left << 32 | right: integers sort as the pairs
# do, and are faster than tuples to hash and to compare.
PAIR_BITS = 32
RIGHT = (1 << PAIR_BITS) - 1
_BORDER, _INSIDE = -1, -2  # between words; within a symbol, where no neighbor looks


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
        slots, weights = [_BORDER], [0]
        for word, count in zip(words, counts, strict=True):
            slots += word
            slots.append(_BORDER)
            weights += [count] * (len(word) + 1)
        self._slots, self._weights = slots, weights
        self._widths: defaultdict[int, int] = defaultdict(lambda: 1)  # symbol -> slots it fills
        self._places: defaultdict[int, list[int]] = defaultdict(list)  # pair -> its first slots
        self.counts: defaultdict[int, int] = defaultdict(int)
        left = _BORDER
        for place, right in enumerate(slots, start=-1):
            if left != _BORDER and right != _BORDER:
                pair = left << PAIR_BITS | right
                self.counts[pair] += weights[place]
                self._places[pair].append(place)
            left = right

    def merge(self, left: int, right: int, new: int) -> tuple[set[int], int]:
        """Write `new` wherever `left` stands before `right`, from left to right.

        Returns the pairs that this made, and how many occurrences were merged: the pair's count, or less
        where occurrences overlap (of aaa the first two are merged). The merged pair's count is 0 after that.
        """
        slots, left_width, width = self._slots, self._widths[left], self._widths[left] + self._widths[right]
        before: defaultdict[int, list[int]] = defaultdict(list)  # neighbor -> places of the merged symbols
        behind: defaultdict[int, list[int]] = defaultdict(list)
        for place in self._places.pop(left << PAIR_BITS | right, ()):
            middle = place + left_width
            if slots[place] != left or slots[middle] != right:
                continue  # an earlier merge took one of the two
            slots[middle - 1] = slots[middle] = _INSIDE
            last = place + width - 1
            slots[place] = slots[last] = new
            before[slots[place - 1]].append(place)
            behind[slots[last + 1]].append(place)
        self._widths[new] = width
        return self._replace(left, right, new, before, behind)

    def _replace(
        self, left: int, right: int, new: int, before: dict[int, list[int]], behind: dict[int, list[int]]
    ) -> tuple[set[int], int]:
        """Count the pairs of `new` with its neighbors in place of those that the neighbors were in."""
        counts, weight_of = self.counts, self._weights.__getitem__
        made: set[int] = set()
        merged = 0
        for neighbor, places in before.items():
            weight = sum(map(weight_of, places))
            merged += weight
            if neighbor != _BORDER:
                pair = neighbor << PAIR_BITS | new
                counts[neighbor << PAIR_BITS | left] -= weight
                counts[pair] += weight
                neighbor_width = self._widths[neighbor]
                self._places[pair] = [place - neighbor_width for place in places]
                made.add(pair)
        for neighbor, places in behind.items():
            if neighbor != _BORDER:
                pair = new << PAIR_BITS | neighbor
                weight = sum(map(weight_of, places))
                counts[right << PAIR_BITS | neighbor] -= weight
                counts[pair] += weight
                self._places[pair] = places
                made.add(pair)
        counts[left << PAIR_BITS | right] = 0
        return made, merged
