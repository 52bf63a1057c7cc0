# ruff: noqa: B905, F811, F821, F841
# Known wrong answers of exercise 6. Each must fail its checks with a message that names the mistake.


# %% piece-labels: labels all pieces
# says: You labeled every piece of a word
def piece_labels(word_ids, labels):
    return [-100 if word is None else labels[word] for word in word_ids]


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None and found[word] is None:
            found[word] = label
    return found


# %% piece-labels: labels the last piece
# says: You labeled the last piece of a word
def piece_labels(word_ids, labels):
    after = [*word_ids[1:], None]
    return [-100 if word is None or word == n else labels[word] for word, n in zip(word_ids, after)]


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None and found[word] is None:
            found[word] = label
    return found


# %% piece-labels: takes labels in the order of pieces
# says: You gave the labels to pieces one after another
def piece_labels(word_ids, labels):
    found, rest = [], list(labels)
    for word in word_ids:
        found.append(-100 if word is None or not rest else rest.pop(0))
    return found


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None and found[word] is None:
            found[word] = label
    return found


# %% piece-labels: gives special tokens the label 0
# says: You gave special tokens the label 0
def piece_labels(word_ids, labels):
    found, before = [], None
    for word in word_ids:
        found.append(0 if word is None else labels[word] if word != before else -100)
        before = word
    return found


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None and found[word] is None:
            found[word] = label
    return found


# %% piece-labels: gives other pieces the label 0
# says: You gave the other pieces the label 0
def piece_labels(word_ids, labels):
    found, before = [], None
    for word in word_ids:
        found.append(-100 if word is None else labels[word] if word != before else 0)
        before = word
    return found


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None and found[word] is None:
            found[word] = label
    return found


# %% piece-labels: takes the last piece back
# says: You took the label of the last piece
def piece_labels(word_ids, labels):
    found, before = [], None
    for word in word_ids:
        found.append(labels[word] if word is not None and word != before else -100)
        before = word
    return found


def word_labels(word_ids, predicted, count):
    found = [None] * count
    for word, label in zip(word_ids, predicted):
        if word is not None:
            found[word] = label
    return found


# %% piece-labels: drops words that were cut off
# says: You left out the words without a piece
def piece_labels(word_ids, labels):
    found, before = [], None
    for word in word_ids:
        found.append(labels[word] if word is not None and word != before else -100)
        before = word
    return found


def word_labels(word_ids, predicted, count):
    found = {}
    for word, label in zip(word_ids, predicted):
        if word is not None:
            found.setdefault(word, label)
    return [found[word] for word in range(count) if word in found]


# %% piece-labels: calls words that were cut off class 0
# says: You labeled words without a piece as 0
def piece_labels(word_ids, labels):
    found, before = [], None
    for word in word_ids:
        found.append(labels[word] if word is not None and word != before else -100)
        before = word
    return found


def word_labels(word_ids, predicted, count):
    found = {}
    for word, label in zip(word_ids, predicted):
        if word is not None:
            found.setdefault(word, label)
    return [found.get(word, 0) for word in range(count)]


# %% answer-scores: does not normalize
# says: You compared the texts as they are
def normalized(text):
    return text.split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: only lowers the case
# says: You only lowered the case
def normalized(text):
    return text.lower().split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: leaves the articles
# says: You left the articles in
def normalized(text):
    return "".join(c for c in text.lower() if c not in string.punctuation).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: removes articles inside words
# says: You removed the letters of articles inside words
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"(an|a|the)", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: replaces punctuation by spaces
# says: You replaced punctuation by spaces
def normalized(text):
    text = "".join(" " if c in string.punctuation else c for c in text.lower())
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: counts each word once
# says: You counted each word once
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = len(set(words) & set(expected))
        found.append(
            (int(words == expected), 2 * hits / (len(set(words)) + len(set(expected))) if hits else 0.0)
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: counts every word of the prediction that occurs
# says: You counted every word of the prediction that occurs in the
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = sum(word in expected for word in words)
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: takes the arithmetic mean
# says: You took the arithmetic mean of precision and recall
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append(
            (int(words == expected), (hits / len(words) + hits / len(expected)) / 2 if hits else 0.0)
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: takes recall for F1
# says: You divided by the words of the reference only
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), hits / len(expected) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: takes precision for F1
# says: You divided by the words of the prediction only
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), hits / len(words) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: divides by zero
# says: You divided by zero where nothing is shared
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append(
            (
                int(words == expected),
                2 * (hits / len(words)) * (hits / len(expected)) / (hits / len(words) + hits / len(expected)),
            )
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: takes the first reference
# says: You scored against the first reference only
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references[:1]:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: takes the mean over references
# says: You averaged over the references
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append((int(words == expected), 2 * hits / (len(words) + len(expected)) if hits else 0.0))
    return sum(s[0] for s in found) / len(found), sum(s[1] for s in found) / len(found)


# %% answer-scores: calls contained exact
# says: You called an answer exact that only contains the reference
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append(
            (
                int(" ".join(expected) in " ".join(words)),
                2 * hits / (len(words) + len(expected)) if hits else 0.0,
            )
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: ignores the order in exact match
# says: You compared bags of words for exact match
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append(
            (
                int(Counter(words) == Counter(expected)),
                2 * hits / (len(words) + len(expected)) if hits else 0.0,
            )
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% answer-scores: gives F1 1 to two empty answers
# says: You gave two empty answers an F1 of 1
def normalized(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def answer_scores(prediction, references):
    words, found = normalized(prediction), []
    for reference in references:
        expected = normalized(reference)
        hits = (Counter(words) & Counter(expected)).total()
        found.append(
            (
                int(words == expected),
                2 * hits / (len(words) + len(expected)) if hits else float(words == expected),
            )
        )
    return max(scores[0] for scores in found), max(scores[1] for scores in found)


# %% best-span: takes the best start and the best end
# says: You took the best start and the best end, each on its own
def best_span(starts, ends, in_passage, max_tokens):
    start, end = starts.index(max(starts)), ends.index(max(ends))
    return start, end, starts[start] + ends[end]


# %% best-span: takes both inside the passage, but apart
# says: You answered with a span that ends before it starts
def best_span(starts, ends, in_passage, max_tokens):
    inside = [i for i in range(len(starts)) if in_passage[i]]
    start, end = max(inside, key=lambda i: starts[i]), max(inside, key=lambda i: ends[i])
    return start, end, starts[start] + ends[end]


# %% best-span: lets a span end before it starts
# says: You answered with a span that ends before it starts
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(len(starts)):
            score = starts[start] + ends[end]
            if end - start < max_tokens and in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: forgets the question
# says: You allowed spans outside of the passage
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if True and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: checks the start only
# says: You checked only that the start is in the passage
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: checks the end only
# says: You checked only that the end is in the passage
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: allows one token too many
# says: You allowed one token too many
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens + 1, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: allows one token too few
# says: You allowed one token too few
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max(max_tokens - 1, 1), len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: forgets the limit
# says: You forgot the limit
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, len(starts)):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: never answers with one word
# says: You never answer with a single token
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -99.0)
    for start in range(len(starts)):
        for end in range(start + 1, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: multiplies the scores
# says: You multiplied the two scores
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] * ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: begins with zero
# says: You started from a best score of 0
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, 0.0)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score > best[2]:
                best = (start, end, score)
    return best


# %% best-span: takes the last of equal spans
# says: You took the last of equal spans
def best_span(starts, ends, in_passage, max_tokens):
    best = (0, 0, -math.inf)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if in_passage[start] and in_passage[end] and score >= best[2]:
                best = (start, end, score)
    return best


# %% focal: weighs the wrong class
# says: Your alpha is on the wrong class
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -((1 - weight) * (1 - p_right) ** gamma * log_p_right).mean()


# %% focal: gives both classes alpha
# says: You gave both classes the weight alpha
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(alpha * (1 - p_right) ** gamma * log_p_right).mean()


# %% focal: forgets alpha
# says: You left the class weights out
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -((1 - p_right) ** gamma * log_p_right).mean()


# %% focal: forgets gamma
# says: You left (1 - p)^gamma out
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * log_p_right).mean()


# %% focal: takes p to the power
# says: You took p to the power of gamma
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * p_right**gamma * log_p_right).mean()


# %% focal: takes p of class 1
# says: You took the probability of class 1 for all examples
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - log_p[:, 1].exp()) ** gamma * log_p[:, 1]).mean()


# %% focal: takes softmax twice
# says: You took the softmax of probabilities
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.softmax(-1).log_softmax(-1).gather(1, labels[:, None])[:, 0]
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - log_p.exp()) ** gamma * log_p).mean()


# %% focal: takes logits for probabilities
# says: You used the logits as if they were probabilities
def focal_loss(logits, labels, alpha, gamma):
    p = logits.gather(1, labels[:, None])[:, 0].clamp(1e-6, 1 - 1e-6)
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p) ** gamma * p.log()).mean()


# %% focal: averages before it weighs
# says: You averaged before you weighed
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p_right) ** gamma).mean() * log_p_right.mean()


# %% focal: normalizes by the weights
# says: You divided by the sum of the weights
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p_right) ** gamma * log_p_right).sum() / weight.sum()


# %% focal: sums over the batch
# says: You summed over the batch
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p_right) ** gamma * log_p_right).sum()


# %% focal: forgets the minus
# says: Your loss is negative
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return (weight * (1 - p_right) ** gamma * log_p_right).mean()


# %% focal: takes the logarithm of a softmax
# says: Your loss is not finite where the model is very sure and wro
def focal_loss(logits, labels, alpha, gamma):
    p = logits.softmax(-1).gather(1, labels[:, None])[:, 0]
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p) ** gamma * p.log()).mean()


# %% focal: clamps the probability
# says: You clamped the probability
def focal_loss(logits, labels, alpha, gamma):
    p = logits.softmax(-1).gather(1, labels[:, None])[:, 0].clamp(min=1e-7)
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * (1 - p) ** gamma * p.log()).mean()


# %% focal: keeps hardness out of the gradient
# says: Your values are right and your gradient is not
def focal_loss(logits, labels, alpha, gamma):
    log_p = logits.log_softmax(-1)
    log_p_right = log_p.gather(1, labels[:, None])[:, 0]
    p_right = log_p_right.exp()
    weight = torch.where(labels == 1, alpha, 1 - alpha)
    return -(weight * ((1 - p_right) ** gamma).detach() * log_p_right).mean()


# %% windows: moves on by the overlap
# says: You moved on by the overlap
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: never reaches the end
# says: does a loop in it never end
def windows(question, passage, answer, max_length, overlap):
    room = max_length - len(question) - 3
    first = 0
    while first + room != len(passage):
        first += room - overlap
    return [(["[CLS]", *question, "[SEP]", *passage[first:], "[SEP]"], 0, 0)]


# %% windows: lets windows not overlap
# says: Your windows do not overlap
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: overlaps one token too few
# says: Your windows share one token too few
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap + 1):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: forgets the special tokens
# says: You forgot [CLS] and the two [SEP]
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question), len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: counts two special tokens
# says: You counted two special tokens
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 2, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: forgets the question
# says: You forgot that the question takes room in every window
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: goes on behind the end
# says: You went on after a window had reached the end
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        pass
    return found


# %% windows: drops the last window
# says: You dropped the last window because it is not full
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        if len(stretch) < room and found:
            break
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: gives the place in the passage
# says: You gave the answer's place in the passage
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (answer[0], answer[1]) if first <= answer[0] and answer[1] < first + len(stretch) else (0, 0)
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: forgets the question in the place
# says: Your places count from the start of the stretch
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (answer[0] - first, answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: forgets a special token in the place
# says: Your places are off by one
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 1, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: forgets where the stretch begins
# says: Your places do not move with the window
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0], offset + answer[1])
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: accepts half of an answer
# says: You labeled windows that hold only a part of the answer
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: accepts the other half
# says: You checked the end of the answer only
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: skips windows without the answer
# says: You left out the windows without the answer
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        if first <= answer[0] and answer[1] < first + len(stretch):
            text = ["[CLS]", *question, "[SEP]", *stretch, "[SEP]"]
            found.append((text, offset + answer[0] - first, offset + answer[1] - first))
        if first + room >= len(passage):
            break
    return found


# %% windows: points past the end
# says: Your end is one too far
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first + 1)
            if first <= answer[0] and answer[1] < first + len(stretch)
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found


# %% windows: loses the last token of the room
# says: You reject an answer at the very end of a window
def windows(question, passage, answer, max_length, overlap):
    room, offset, found = max_length - len(question) - 3, len(question) + 2, []
    for first in range(0, len(passage), room - overlap):
        stretch = passage[first : first + room]
        place = (
            (offset + answer[0] - first, offset + answer[1] - first)
            if first <= answer[0] and answer[1] < first + len(stretch) - 1
            else (0, 0)
        )
        found.append((["[CLS]", *question, "[SEP]", *stretch, "[SEP]"], *place))
        if first + room >= len(passage):
            break
    return found
