# ruff: noqa: F811, F821
# Known wrong answers of exercise 1. Each must fail its checks with a message that names the mistake.


# %% merge-step: replaces text across symbol borders
# says: across the border between two symbols
def merge_step(symbols, pair):
    return " ".join(symbols).replace(" ".join(pair), "".join(pair)).split(" ")


# %% merge-step: uses one symbol in two joins
# says: one symbol in two joins
def merge_step(symbols, pair):
    merged = []
    used = False
    for left, right in zip(symbols, [*symbols[1:], ""], strict=True):
        if (left, right) == pair:
            merged.append(left + right)
        elif not used:
            merged.append(left)
        used = (left, right) == pair and left != right
    return merged


# %% merge-step: joins from the right
# says: You joined from the right
def merge_step(symbols, pair):
    merged = []
    position = len(symbols)
    while position > 0:
        if tuple(symbols[max(0, position - 2) : position]) == pair:
            merged.insert(0, pair[0] + pair[1])
            position -= 2
        else:
            merged.insert(0, symbols[position - 1])
            position -= 1
    return merged


# %% merge-step: joins the first occurrence only
# says: the first occurrence only
def merge_step(symbols, pair):
    for position, found in enumerate(pairwise(symbols)):
        if found == pair:
            return [*symbols[:position], pair[0] + pair[1], *symbols[position + 2 :]]
    return list(symbols)


# %% merge-step: loses the last symbol
# says: You lost the last symbol
def merge_step(symbols, pair):
    merged = []
    position = 0
    while position < len(symbols) - 1:
        if (symbols[position], symbols[position + 1]) == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


# %% merge-step: changes the list that was handed in
# says: You changed the list that was handed in
def merge_step(symbols, pair):
    position = 0
    while position < len(symbols) - 1:
        if (symbols[position], symbols[position + 1]) == pair:
            symbols[position : position + 2] = [pair[0] + pair[1]]
        position += 1
    return symbols


# %% merge-step: compares a list with the tuple
# says: A list never equals a tuple
def merge_step(symbols, pair):
    merged = []
    position = 0
    while position < len(symbols):
        if symbols[position : position + 2] == pair:
            merged.append(pair[0] + pair[1])
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


# %% merge-step: forgets to return
# says: did you forget `return`?
def merge_step(symbols, pair):
    merged = []
    while symbols:
        here = 2 if tuple(symbols[:2]) == pair else 1
        merged.append("".join(symbols[:here]))
        symbols = symbols[here:]
    print(merged)


# %% train: counts each word once
# says: You counted every word once
def train(word_counts, n_merges):
    words = [list(word) for word in word_counts]
    merges = []
    while len(merges) < n_merges:
        counts = Counter(pair for symbols in words for pair in pairwise(symbols))
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [merge_step(symbols, merges[-1]) for symbols in words]
    return merges


# %% train: ranks the pairs of the first count
# says: after each merge, count again
def train(word_counts, n_merges):
    counts = Counter()
    for word, count in word_counts.items():
        for pair in pairwise(word):
            counts[pair] += count
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:n_merges]


# %% train: breaks ties by the order of the text
# says: by the order of the text
def train(word_counts, n_merges):
    words = [(list(word), count) for word, count in word_counts.items()]
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for symbols, count in words:
            for pair in pairwise(symbols):
                counts[pair] += count
        if not counts:
            break
        merges.append(counts.most_common(1)[0][0])
        words = [(merge_step(symbols, merges[-1]), count) for symbols, count in words]
    return merges


# %% train: breaks ties the wrong way round
# says: ties the wrong way round
def train(word_counts, n_merges):
    words = [(list(word), count) for word, count in word_counts.items()]
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for symbols, count in words:
            for pair in pairwise(symbols):
                counts[pair] += count
        if not counts:
            break
        merges.append(max(counts, key=lambda pair: (counts[pair], pair)))
        words = [(merge_step(symbols, merges[-1]), count) for symbols, count in words]
    return merges


# %% train: asks for the best of no pairs
# says: the best of none: stop there
def train(word_counts, n_merges):
    words = [(list(word), count) for word, count in word_counts.items()]
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        for symbols, count in words:
            for pair in pairwise(symbols):
                counts[pair] += count
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [(merge_step(symbols, merges[-1]), count) for symbols, count in words]
    return merges


# %% train: stops at pairs that occur once
# says: before the pairs that occur only once
def train(word_counts, n_merges):
    words = [(list(word), count) for word, count in word_counts.items()]
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for symbols, count in words:
            for pair in pairwise(symbols):
                counts[pair] += count
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        merges.append(best)
        words = [(merge_step(symbols, best), count) for symbols, count in words]
    return merges


# %% train: goes on until no pair is left
# says: n_merges says how many merges to learn
def train(word_counts, n_merges):
    words = [(list(word), count) for word, count in word_counts.items()]
    merges = []
    while True:
        counts = Counter()
        for symbols, count in words:
            for pair in pairwise(symbols):
                counts[pair] += count
        if not counts:
            return merges
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [(merge_step(symbols, merges[-1]), count) for symbols, count in words]


# %% encode: takes the longest piece from the left
# says: took the longest piece
def encode(word, merges):
    vocab = set(word) | {"".join(pair) for pair in merges}
    symbols = []
    start = 0
    while start < len(word):
        end = max(end for end in range(start + 1, len(word) + 1) if word[start:end] in vocab)
        symbols.append(word[start:end])
        start = end
    return symbols


# %% encode: joins the leftmost known pair
# says: You read the word from the left
def encode(word, merges):
    symbols = list(word)
    while True:
        known = [position for position, pair in enumerate(pairwise(symbols)) if pair in merges]
        if not known:
            return symbols
        symbols[known[0] : known[0] + 2] = [symbols[known[0]] + symbols[known[0] + 1]]


# %% encode: goes through the merges backward
# says: from the last to the first
def encode(word, merges):
    symbols = list(word)
    for pair in reversed(merges):
        symbols = merge_step(symbols, pair)
    return symbols


# %% encode: stops after the first merge that applies
# says: You stopped after the first merge
def encode(word, merges):
    for pair in merges:
        symbols = merge_step(list(word), pair)
        if len(symbols) < len(word):
            return symbols
    return list(word)


# %% encode: applies each merge once
# says: You applied each merge only once
def encode(word, merges):
    symbols = list(word)
    for pair in merges:
        found = list(pairwise(symbols))
        if pair in found:
            position = found.index(pair)
            symbols[position : position + 2] = ["".join(pair)]
    return symbols


# %% encode: returns a string
# says: (str): the task asks for a list
def encode(word, merges):
    symbols = list(word)
    for pair in merges:
        symbols = merge_step(symbols, pair)
    return " ".join(symbols)


# %% wordpiece: takes the shortest match
# says: You took the shortest piece
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(start + 1, len(word) + 1)
        end = next((end for end in ends if mark + word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


# %% wordpiece: loses the mark of continuing pieces
# says: You lost the ##
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(word[start:end])
        start = end
    return pieces


# %% wordpiece: looks continuing pieces up without the mark
# says: looked the rest of the word up without ##
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((end for end in ends if word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(("##" if start else "") + word[start:end])
        start = end
    return pieces


# %% wordpiece: looks the first piece up with the mark
# says: looked the first piece up with ##
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((end for end in ends if "##" + word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append("##" + word[start:end])
        start = end
    return pieces


# %% wordpiece: keeps the pieces before the unknown part
# says: You kept the pieces found before the unknown part
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocab), None)
        if end is None:
            return [*pieces, "[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


# %% wordpiece: drops what it does not know
# says: You dropped the part that matches nothing
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocab), None)
        if end is None:
            start += 1
            continue
        pieces.append(mark + word[start:end])
        start = end
    return pieces


# %% wordpiece: takes a greedy choice back
# says: You took a greedy choice back
def wordpiece(word, vocab):
    def cut(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            rest = cut(end) if piece in vocab else None
            if rest is not None:
                return [piece, *rest]
        return None

    return cut(0) or ["[UNK]"]


# %% wordpiece: never moves on
# says: does a loop in it never end
def wordpiece(word, vocab):
    pieces = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocab:
                pieces.append(mark + word[start:end])
                break
        else:
            return ["[UNK]"]
    return pieces


# %% score: counts letters in the whole words
# says: You counted letters in the whole words
def score(words, pair):
    def letters(symbol):
        bare = symbol.removeprefix("##")
        return sum(
            frequency * "".join(piece.removeprefix("##") for piece in pieces).count(bare)
            for pieces, frequency in words.items()
        )

    together = sum(frequency * list(pairwise(pieces)).count(pair) for pieces, frequency in words.items())
    return Fraction(together, letters(pair[0]) * letters(pair[1]))


# %% score: counts each word once
# says: You counted every word once
def score(words, pair):
    symbols = Counter(piece for pieces in words for piece in pieces)
    pairs = Counter(neighbors for pieces in words for neighbors in pairwise(pieces))
    return Fraction(pairs[pair], symbols[pair[0]] * symbols[pair[1]])


# %% score: adds the counts below the line
# says: You added the two counts
def score(words, pair):
    symbols, pairs = Counter(), Counter()
    for pieces, frequency in words.items():
        for piece in pieces:
            symbols[piece] += frequency
        for neighbors in pairwise(pieces):
            pairs[neighbors] += frequency
    return Fraction(pairs[pair], symbols[pair[0]] + symbols[pair[1]])


# %% score: divides by the first symbol alone
# says: by the count of the first symbol alone
def score(words, pair):
    symbols, pairs = Counter(), Counter()
    for pieces, frequency in words.items():
        for piece in pieces:
            symbols[piece] += frequency
        for neighbors in pairwise(pieces):
            pairs[neighbors] += frequency
    return Fraction(pairs[pair], symbols[pair[0]])


# %% score: counts the words that contain the pair
# says: You counted the words that contain the pair
def score(words, pair):
    symbols, pairs = Counter(), Counter()
    for pieces, frequency in words.items():
        for piece in set(pieces):
            symbols[piece] += frequency
        for neighbors in set(pairwise(pieces)):
            pairs[neighbors] += frequency
    return Fraction(pairs[pair], symbols[pair[0]] * symbols[pair[1]])


# %% score: returns a float
# says: (float): the task asks for a Fraction
def score(words, pair):
    symbols, pairs = Counter(), Counter()
    for pieces, frequency in words.items():
        for piece in pieces:
            symbols[piece] += frequency
        for neighbors in pairwise(pieces):
            pairs[neighbors] += frequency
    return pairs[pair] / (symbols[pair[0]] * symbols[pair[1]])


# %% score: makes a fraction of a rounded quotient
# says: You divided before you made the Fraction
def score(words, pair):
    symbols, pairs = Counter(), Counter()
    for pieces, frequency in words.items():
        for piece in pieces:
            symbols[piece] += frequency
        for neighbors in pairwise(pieces):
            pairs[neighbors] += frequency
    return Fraction(pairs[pair] / (symbols[pair[0]] * symbols[pair[1]]))


# %% digits: groups from the left
# says: You grouped from the left
def pretokenize(text):
    return re.findall(r"[0-9]{1,3}|[^0-9\s]+", text)


# %% digits: cuts numbers into single digits
# says: You cut numbers into single digits
def pretokenize(text):
    return re.findall(r"[0-9]|[^0-9\s]+", text)


# %% digits: writes commas into one piece
# says: You wrote the groups with commas
def pretokenize(text):
    return [f"{int(run):,}" if run.isdigit() else run for run in re.findall(r"[0-9]+|[^0-9\s]+", text)]


# %% digits: loses zeros in front
# says: You lost zeros in front
def pretokenize(text):
    pieces = []
    for run in re.findall(r"[0-9]+|[^0-9\s]+", text):
        pieces += f"{int(run):,}".split(",") if run.isdigit() else [run]
    return pieces


# %% digits: cuts only words of digits
# says: digits inside words
def pretokenize(text):
    pieces = []
    for word in text.split():
        first = len(word) % 3 or 3
        groups = [word[:first], *(word[start : start + 3] for start in range(first, len(word), 3))]
        pieces += groups if word.isdigit() else [word]
    return pieces


# %% digits: drops signs
# says: You dropped what is neither letter nor digit
def pretokenize(text):
    pieces = []
    for run in re.findall(r"[0-9]+|[A-Za-z]+", text):
        first = len(run) % 3 or 3
        groups = [run[:first], *(run[start : start + 3] for start in range(first, len(run), 3))]
        pieces += groups if run.isdigit() else [run]
    return pieces


# %% digits: begins with an empty group
# says: You put an empty group before 654
def pretokenize(text):
    pieces = []
    for run in re.findall(r"[0-9]+|[^0-9\s]+", text):
        first = len(run) % 3
        groups = [run[:first], *(run[start : start + 3] for start in range(first, len(run), 3))]
        pieces += groups if run[0] in "0123456789" else [run]
    return pieces


# %% digits: takes the digits of every script
# says: You also cut the digits of other scripts
def pretokenize(text):
    pieces = []
    for run in re.findall(r"\d+|[^\d\s]+", text):
        first = len(run) % 3 or 3
        groups = [run[:first], *(run[start : start + 3] for start in range(first, len(run), 3))]
        pieces += groups if re.match(r"\d", run) else [run]
    return pieces


# %% digits: takes exponents for digits
# says: You took the exponent
def pretokenize(text):
    pieces = []
    for word in text.split():
        runs = [[]]
        for character in word:
            if runs[-1] and runs[-1][-1].isdigit() != character.isdigit():
                runs.append([])
            runs[-1].append(character)
        for run in map("".join, runs):
            first = len(run) % 3 or 3
            groups = [run[:first], *(run[start : start + 3] for start in range(first, len(run), 3))]
            pieces += groups if run.isdigit() else [run]
    return pieces
