# ruff: noqa: F811, F821
# Known wrong answers of exercise 2. Each must fail its checks with a message that names the mistake.


# %% pairs: makes the word its own context
# says: You made each word a context of itself
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            first = max(0, place - window)
            found += [(center, context) for context in words[first : place + window + 1]]
    return found


# %% pairs: crosses the borders of sentences
# says: You went on from one sentence into the next
def pairs(sentences, window):
    words = [word for sentence in sentences for word in sentence]
    places = range(len(words))
    return [(words[i], words[j]) for i in places for j in places if 0 < abs(i - j) <= window]


# %% pairs: looks to the right only
# says: You looked to the right only
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            found += [(center, context) for context in words[place + 1 : place + window + 1]]
    return found


# %% pairs: looks to the left only
# says: You looked to the left only
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            found += [(center, context) for context in words[max(0, place - window) : place]]
    return found


# %% pairs: shares the window between both sides
# says: You shared the window between the two sides
def pairs(sentences, window):
    found = []
    for words in sentences:
        places = range(len(words))
        found += [(words[i], words[j]) for i in places for j in places if 0 < abs(i - j) <= window // 2]
    return found


# %% pairs: stops one short on the right
# says: You stopped one place short on the right
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            for other in range(max(0, place - window), min(len(words), place + window)):
                if other != place:
                    found.append((center, words[other]))
    return found


# %% pairs: slices from a negative place
# says: a slice that starts at a negative place
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            near = words[place - window : place] + words[place + 1 : place + 1 + window]
            found += [(center, context) for context in near]
    return found


# %% pairs: comes around from the other end
# says: You came around from the end
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            for other in range(place - window, min(len(words), place + window + 1)):
                if other != place and other >= -len(words):
                    found.append((center, words[other]))
    return found


# %% pairs: compares words, not places
# says: You left out contexts that are the same word
def pairs(sentences, window):
    found = []
    for words in sentences:
        for place, center in enumerate(words):
            near = words[max(0, place - window) : place + window + 1]
            found += [(center, context) for context in near if context != center]
    return found


# %% pairs: keeps each pair once
# says: You kept each pair only once
def pairs(sentences, window):
    found = []
    for words in sentences:
        places = range(len(words))
        found += [(words[i], words[j]) for i in places for j in places if 0 < abs(i - j) <= window]
    return list(dict.fromkeys(found))


# %% pairs: asks a word for its place
# says: index() finds the first occurrence
def pairs(sentences, window):
    found = []
    for words in sentences:
        for center in words:
            place = words.index(center)
            for other in range(max(0, place - window), min(len(words), place + window + 1)):
                if other != place:
                    found.append((center, words[other]))
    return found


# %% pairs: puts the context first
# says: You put the context first
def pairs(sentences, window):
    found = []
    for words in sentences:
        places = range(len(words))
        found += [(words[j], words[i]) for i in places for j in places if 0 < abs(i - j) <= window]
    return found


# %% pairs: never moves on
# says: does a loop in it never end
def pairs(sentences, window):
    found = []
    for words in sentences:
        place = 0
        while place < len(words):
            near = words[max(0, place - window) : place + window + 1]
            found = [(words[place], context) for context in near]
    return found


# %% negative-loss: forgets the sign of the negatives
# says: You pulled the negatives closer
def negative_loss(center, context, negatives):
    return np.logaddexp(0, -(context @ center)) + np.logaddexp(0, -(negatives @ center)).sum()


# %% negative-loss: turns both signs around
# says: You turned both signs around
def negative_loss(center, context, negatives):
    return np.logaddexp(0, context @ center) + np.logaddexp(0, -(negatives @ center)).sum()


# %% negative-loss: averages over the negatives
# says: You took the mean over the negatives
def negative_loss(center, context, negatives):
    return np.logaddexp(0, -(context @ center)) + np.logaddexp(0, negatives @ center).mean()


# %% negative-loss: averages over all
# says: You divided by the number of terms
def negative_loss(center, context, negatives):
    terms = [np.logaddexp(0, -(context @ center)), *np.logaddexp(0, negatives @ center)]
    return sum(terms) / len(terms)


# %% negative-loss: takes a softmax over all candidates
# says: You took a softmax
def negative_loss(center, context, negatives):
    scores = np.array([context @ center, *(negatives @ center)])
    return np.logaddexp.reduce(scores) - scores[0]


# %% negative-loss: returns the log-likelihood
# says: You forgot the minus in front
def negative_loss(center, context, negatives):
    return -np.logaddexp(0, -(context @ center)) - np.logaddexp(0, negatives @ center).sum()


# %% negative-loss: forgets the logarithm
# says: You forgot the logarithm
def negative_loss(center, context, negatives):
    with np.errstate(over="ignore"):
        true = 1 / (1 + np.exp(-(context @ center)))
        noise = 1 / (1 + np.exp(-(negatives @ center)))
    return (1 - true) + noise.sum()


# %% negative-loss: compares the negatives with the context
# says: You compared the negatives with the true context
def negative_loss(center, context, negatives):
    return np.logaddexp(0, -(context @ center)) + np.logaddexp(0, negatives @ context).sum()


# %% negative-loss: adds the scores before the sigmoid
# says: You added the scores of the negatives first
def negative_loss(center, context, negatives):
    return np.logaddexp(0, -(context @ center)) + np.logaddexp(0, (negatives @ center).sum())


# %% negative-loss: takes the logarithm of zero
# says: You took the logarithm of a sigmoid that had rounded to 0
def negative_loss(center, context, negatives):
    with np.errstate(all="ignore"):
        true = np.log(1 / (1 + np.exp(-(context @ center))))
        noise = np.log(1 / (1 + np.exp(negatives @ center))).sum()
    return -true - noise


# %% negative-loss: takes the logarithm of zero, in plain Python
# says: The exponential got too large for a float
def negative_loss(center, context, negatives):
    import math

    def sigmoid(score):
        return 1 / (1 + math.exp(-score))

    return -math.log(sigmoid(context @ center)) - sum(math.log(sigmoid(-(n @ center))) for n in negatives)


# %% negative-loss: hides the zero behind a small number
# says: You added a small number inside the logarithm
def negative_loss(center, context, negatives):
    with np.errstate(all="ignore"):
        true = np.log(1 / (1 + np.exp(-(context @ center))) + 1e-9)
        noise = np.log(1 / (1 + np.exp(negatives @ center)) + 1e-9).sum()
    return -true - noise


# %% negative-loss: keeps the terms apart
# says: the task asks for one number
def negative_loss(center, context, negatives):
    return np.logaddexp(0, -(context @ center)) + np.logaddexp(0, negatives @ center)


# %% negative-loss: prints instead of returning
# says: did you forget `return`?
def negative_loss(center, context, negatives):
    print(np.logaddexp(0, -(context @ center)) + np.logaddexp(0, negatives @ center).sum())


# %% mix: forgets the softmax
# says: You used the scores themselves as weights
def mix(layers, scores, gamma):
    return gamma * np.tensordot(scores, layers, axes=1)


# %% mix: divides the scores by their sum
# says: You divided the scores by their sum
def mix(layers, scores, gamma):
    return gamma * np.tensordot(scores / scores.sum(), layers, axes=1)


# %% mix: forgets to divide the exponentials
# says: You did not divide the exponentials by their sum
def mix(layers, scores, gamma):
    return gamma * np.tensordot(np.exp(np.minimum(scores, 700)), layers, axes=1)


# %% mix: forgets gamma
# says: You forgot gamma
def mix(layers, scores, gamma):
    weights = np.exp(scores - scores.max())
    return np.tensordot(weights / weights.sum(), layers, axes=1)


# %% mix: puts gamma inside the softmax
# says: You put gamma inside the softmax
def mix(layers, scores, gamma):
    weights = np.exp(gamma * scores - (gamma * scores).max())
    return np.tensordot(weights / weights.sum(), layers, axes=1)


# %% mix: takes the mean of the weighted layers
# says: You took the mean of the weighted layers
def mix(layers, scores, gamma):
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum()
    return gamma * (weights[:, None, None] * layers).mean(axis=0)


# %% mix: takes the top layer
# says: You took the top layer alone
def mix(layers, scores, gamma):
    return gamma * layers[-1]


# %% mix: weights the numbers of a vector
# says: Your weights went to the numbers of each vector
def mix(layers, scores, gamma):
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum()
    return gamma * (weights * layers).sum(axis=0)


# %% mix: weights the tokens
# says: Your weights went to the tokens
def mix(layers, scores, gamma):
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum()
    return gamma * (weights[:, None] * layers).sum(axis=0)


# %% mix: sums over the tokens
# says: You summed over the tokens
def mix(layers, scores, gamma):
    weights = np.exp(scores - scores.max())
    weights = weights / weights.sum()
    return gamma * (weights[:, None, None] * layers).sum(axis=1)


# %% mix: takes the softmax along the tokens
# says: You took the softmax of the layers' own numbers
def mix(layers, scores, gamma):
    weights = np.exp(layers - layers.max(axis=0))
    return gamma * (weights / weights.sum(axis=0) * layers).sum(axis=0)


# %% mix: overflows
# says: The exponential of a large score is infinite
def mix(layers, scores, gamma):
    with np.errstate(all="ignore"):
        weights = np.exp(scores)
        return gamma * np.tensordot(weights / weights.sum(), layers, axes=1)


# %% word-vector: forgets the place of [CLS]
# says: You are one row too early
def word_vector(tokens, states, number):
    special = ("[CLS]", "[SEP]", "[PAD]")
    rows, count = [], -1
    for place, token in enumerate(token for token in tokens if token not in special):
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    return states[rows].mean(axis=0)


# %% word-vector: takes the first piece
# says: You took the first piece alone
def word_vector(tokens, states, number):
    special = ("[CLS]", "[SEP]", "[PAD]")
    starts = [i for i, token in enumerate(tokens) if token not in special and not token.startswith("##")]
    return states[starts[number]]


# %% word-vector: takes the last piece
# says: You took the last piece alone
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens):
        if token in ("[CLS]", "[SEP]", "[PAD]"):
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    return states[rows[-1]]


# %% word-vector: adds the pieces up
# says: You added the pieces up
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens):
        if token in ("[CLS]", "[SEP]", "[PAD]"):
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    return states[rows].sum(axis=0)


# %% word-vector: counts pieces for words
# says: You counted pieces, not words
def word_vector(tokens, states, number):
    rows = [i for i, token in enumerate(tokens) if token not in ("[CLS]", "[SEP]", "[PAD]")]
    return states[rows[number]]


# %% word-vector: lets the last word take [SEP] and the padding
# says: took [SEP] and the padding along
def word_vector(tokens, states, number):
    special = ("[CLS]", "[SEP]", "[PAD]")
    starts = [i for i, token in enumerate(tokens) if token not in special and not token.startswith("##")]
    ends = [*starts[1:], len(tokens)]
    return states[starts[number] : ends[number]].mean(axis=0)


# %% word-vector: counts [SEP] and [PAD] as words
# says: You counted the [SEP] between the sentences as a word
def word_vector(tokens, states, number):
    starts = [i for i, token in enumerate(tokens) if token != "[CLS]" and not token.startswith("##")]
    ends = [*starts[1:], len(tokens)]
    return states[starts[number] : ends[number]].mean(axis=0)


# %% word-vector: stops at the first [SEP]
# says: You stopped at the first [SEP]
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens[: tokens.index("[SEP]")]):
        if token == "[CLS]":
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    with np.errstate(all="ignore"):
        return states[rows].sum(axis=0) / np.float64(len(rows))


# %% word-vector: takes every bracket for a special token
# says: You took everything that begins with a bracket
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens):
        if token.startswith("["):
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    with np.errstate(all="ignore"):
        return states[rows].sum(axis=0) / np.float64(len(rows))


# %% word-vector: takes [UNK] for no word
# says: You skipped [UNK]
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens):
        if token in ("[CLS]", "[SEP]", "[PAD]", "[UNK]"):
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    with np.errstate(all="ignore"):
        return states[rows].sum(axis=0) / np.float64(len(rows))


# %% word-vector: averages the whole sentence
# says: You averaged the whole sentence
def word_vector(tokens, states, number):
    return states[: len(tokens)].mean(axis=0)


# %% word-vector: averages along the wrong axis
# says: the task asks for an array of shape (2,)
def word_vector(tokens, states, number):
    rows, count = [], -1
    for place, token in enumerate(tokens):
        if token in ("[CLS]", "[SEP]", "[PAD]"):
            continue
        count += not token.startswith("##")
        if count == number:
            rows.append(place)
    return states[rows].mean(axis=1)


# %% self-similarity: compares each vector with itself, too
# says: You compared each vector with itself, too
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return (units @ units.T).mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: compares the others with themselves, too
# says: In the baseline you compared each vector with itself
def self_similarity(occurrences, others):
    def cosines(vectors):
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units @ units.T

    own = cosines(occurrences)
    return own[~np.eye(len(own), dtype=bool)].mean() - cosines(others).mean()


# %% self-similarity: divides by all pairs after leaving some out
# says: You left the diagonal out of the sum, but not out of the count
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return ((units @ units.T).sum() - len(units)) / len(units) ** 2

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: forgets the baseline
# says: You did not subtract the baseline
def self_similarity(occurrences, others):
    units = occurrences / np.linalg.norm(occurrences, axis=1, keepdims=True)
    return (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()


# %% self-similarity: divides by the baseline
# says: You divided by the baseline
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()

    with np.errstate(all="ignore"):
        return np.float64(mean_cosine(occurrences)) / mean_cosine(others)


# %% self-similarity: takes the occurrences against the others as baseline
# says: You compared the occurrences with the others
def self_similarity(occurrences, others):
    own = occurrences / np.linalg.norm(occurrences, axis=1, keepdims=True)
    rest = others / np.linalg.norm(others, axis=1, keepdims=True)
    return (own @ own.T)[~np.eye(len(own), dtype=bool)].mean() - (own @ rest.T).mean()


# %% self-similarity: subtracts the mean vector
# says: You subtracted the mean vector
def self_similarity(occurrences, others):
    moved = occurrences - others.mean(axis=0)
    units = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()


# %% self-similarity: compares with the mean vector
# says: You compared each vector with the mean vector
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        middle = vectors.mean(axis=0)
        return (vectors @ middle / np.linalg.norm(vectors, axis=1) / np.linalg.norm(middle)).mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: forgets the lengths
# says: You took dot products
def self_similarity(occurrences, others):
    def mean_product(vectors):
        return (vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)].mean()

    return mean_product(occurrences) - mean_product(others)


# %% self-similarity: divides by one norm for all
# says: You divided by the norm of the whole array
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors)
        return (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: normalizes the columns
# says: You took the norms of the columns
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors, axis=0)
        return (units @ units.T)[~np.eye(len(units), dtype=bool)].mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: compares neighbors only
# says: You compared only neighbors in the list
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return (units[1:] * units[:-1]).sum(axis=1).mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% self-similarity: changes what was handed in
# says: You changed the vectors that were handed in
def self_similarity(occurrences, others):
    def mean_cosine(vectors):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)].mean()

    return mean_cosine(occurrences) - mean_cosine(others)


# %% senses: keeps an occurrence in its own centroid
# says: You left each occurrence in the centroid
def guess_senses(vectors, senses):
    guesses = []
    for vector in vectors:
        cosines = {}
        for sense in set(senses):
            middle = np.mean([v for v, s in zip(vectors, senses, strict=True) if s == sense], axis=0)
            cosines[sense] = vector @ middle / np.linalg.norm(middle)
        guesses.append(max(cosines, key=cosines.get))
    return guesses


# %% senses: takes the dot product
# says: You took the dot product
def guess_senses(vectors, senses):
    guesses = []
    for place, vector in enumerate(vectors):
        scores = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(vectors) if i != place and senses[i] == sense]
            if rest:
                scores[sense] = vector @ np.mean(rest, axis=0)
        guesses.append(max(scores, key=scores.get))
    return guesses


# %% senses: takes the distance
# says: You took the distance
def guess_senses(vectors, senses):
    guesses = []
    for place, vector in enumerate(vectors):
        distances = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(vectors) if i != place and senses[i] == sense]
            if rest:
                distances[sense] = np.linalg.norm(vector - np.mean(rest, axis=0))
        guesses.append(min(distances, key=distances.get))
    return guesses


# %% senses: takes the farthest
# says: You took the smallest cosine
def guess_senses(vectors, senses):
    guesses = []
    for place, vector in enumerate(vectors):
        cosines = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(vectors) if i != place and senses[i] == sense]
            if rest:
                middle = np.mean(rest, axis=0)
                cosines[sense] = vector @ middle / np.linalg.norm(middle)
        guesses.append(min(cosines, key=cosines.get))
    return guesses


# %% senses: takes the nearest occurrence
# says: You took the sense of the nearest single occurrence
def guess_senses(vectors, senses):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    return [senses[place] for place in cosines.argmax(axis=1)]


# %% senses: averages the directions
# says: You brought the vectors to length 1 before you averaged
def guess_senses(vectors, senses):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    guesses = []
    for place, vector in enumerate(units):
        cosines = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(units) if i != place and senses[i] == sense]
            if rest:
                middle = np.mean(rest, axis=0)
                cosines[sense] = vector @ middle / np.linalg.norm(middle)
        guesses.append(max(cosines, key=cosines.get))
    return guesses


# %% senses: lets the mean of nothing win
# says: You let a sense win
def guess_senses(vectors, senses):
    names = sorted(set(senses))
    guesses = []
    for place, vector in enumerate(vectors):
        cosines = []
        for sense in names:
            rest = vectors[[i for i in range(len(vectors)) if i != place and senses[i] == sense]]
            with np.errstate(all="ignore"):
                middle = rest.sum(axis=0) / np.float64(len(rest))
                cosines.append(vector @ middle / np.linalg.norm(middle))
        guesses.append(names[np.argmax(cosines)])
    return guesses


# %% senses: keeps a lone occurrence in its centroid
# says: You let a sense win
def guess_senses(vectors, senses):
    guesses = []
    for place, vector in enumerate(vectors):
        cosines = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(vectors) if i != place and senses[i] == sense]
            middle = np.mean(rest or [vector], axis=0)
            cosines[sense] = vector @ middle / np.linalg.norm(middle)
        guesses.append(max(cosines, key=cosines.get))
    return guesses


# %% senses: always says the most frequent sense
# says: You guessed the most frequent sense
def guess_senses(vectors, senses):
    return [max(sorted(set(senses)), key=senses.count)] * len(senses)


# %% senses: hands back the true senses
# says: You returned the senses that were handed in
def guess_senses(vectors, senses):
    return list(senses)


# %% senses: returns the accuracy
# says: the task asks for a list
def guess_senses(vectors, senses):
    guesses = []
    for place, vector in enumerate(vectors):
        cosines = {}
        for sense in set(senses):
            rest = [v for i, v in enumerate(vectors) if i != place and senses[i] == sense]
            if rest:
                middle = np.mean(rest, axis=0)
                cosines[sense] = vector @ middle / np.linalg.norm(middle)
        guesses.append(max(cosines, key=cosines.get))
    return float(np.mean([a == b for a, b in zip(guesses, senses, strict=True)]))
