"""A language small enough to list every text of it, by walking the grammar and nothing else."""

import math
from collections import defaultdict
from itertools import combinations, permutations, product

from course_utils.contest.grammar import Grammar, compile_grammar, word_probabilities

# Two words a class, one of them of two classes; "x" is a plural noun or a singular verb.
TINY_LEXICON = {
    "noun s": ("dog", "fish"),
    "noun p": ("x", "fish"),
    "verb s": ("x", "ran"),
    "verb p": ("run", "ran"),
    "prep": ("near",),
    "that": ("that",),
    "stop": (".",),
    "(": ("(",),
    "[": ("[",),
    ")": (")",),
    "]": ("]",),
}
TINY = Grammar(lexicon=TINY_LEXICON, max_subjects=2, max_brackets=1)
LANGUAGE = compile_grammar(TINY)


def all_texts(length: int) -> dict[tuple[int, ...], float]:
    """Every text of that length with its probability, summed over its derivations."""
    found: dict[tuple[int, ...], float] = defaultdict(float)
    number = {word: i for i, word in enumerate(LANGUAGE.words)}

    def walk(choices, prefix, probability):
        if len(prefix) == length:
            found[prefix] += probability
            return
        for p, configuration in choices:
            for word, q in word_probabilities(TINY_LEXICON[TINY.word_class(configuration)]):
                walk_on(configuration, (*prefix, number[word]), probability * p * q)

    def walk_on(configuration, prefix, probability):
        if len(prefix) == length:
            found[prefix] += probability
        else:
            walk(TINY.successors(configuration), prefix, probability)

    walk(TINY.start(), (), 1.0)
    return dict(found)


def all_infillings(length: int, mask: int, masks_seen: int, budget: int, mean: float):
    """Every way BART's noise can leave `masks_seen` masks: (probability, function text -> damaged text).

    Written from the description, not from the code: draw Poisson lengths until they reach the budget, cut the
    last, put them in random order into random distinct slots between the kept tokens.
    """
    poisson = [math.exp(-mean) * mean**n / math.factorial(n) for n in range(budget)]
    kept = length - budget
    for head in product(range(budget), repeat=masks_seen - 1):
        if sum(head) >= budget:
            continue  # the drawing had stopped earlier
        last = budget - sum(head)
        odds = math.prod(poisson[n] for n in head) * (1 - sum(poisson[:last]))
        orders = list(permutations((*head, last)))
        slots = list(combinations(range(kept + 1), masks_seen))
        for order, chosen in product(orders, slots):
            yield odds / len(orders) / len(slots), _lay(order, chosen, mask)


def _lay(lengths, slots, mask):
    def damage(text):
        out, at, kept = [], 0, 0
        for n, slot in zip(lengths, slots, strict=True):
            out += text[at : at + slot - kept]
            at, kept = at + slot - kept + n, slot
            out.append(mask)
        return (*out, *text[at:])

    return damage
