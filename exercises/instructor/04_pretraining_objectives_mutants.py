# ruff: noqa: F811, F821
# Known wrong answers of exercise 4. Each must fail its checks with a message that names the mistake.


# %% masking: applies 80/10/10 to the whole sequence
# says: You applied 80/10/10 to the whole sequence
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where((ids >= FIRST_WORD) & (kind < 0.9), random_ids, ids)
    inputs = torch.where((ids >= FIRST_WORD) & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: masks every kind of token
# says: You masked special tokens and padding
def mask_tokens(ids, chance, kind, which):
    chosen = chance < 0.15
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: masks special tokens
# says: You masked special tokens: [CLS] and [SEP]
def mask_tokens(ids, chance, kind, which):
    chosen = (ids != PAD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: masks padding
# says: You masked padding
def mask_tokens(ids, chance, kind, which):
    chosen = (ids != CLS) & (ids != SEP) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: labels every word
# says: You labeled every word
def mask_tokens(ids, chance, kind, which):
    words = ids >= FIRST_WORD
    chosen = words & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(words, ids, -100)


# %% masking: gives unchanged tokens no label
# says: You gave no label to the chosen token that stays
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(inputs != ids, ids, -100)


# %% masking: uses one draw for both decisions
# says: with the draw that chose the token
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (chance < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (chance < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: lets random words overwrite the masks
# says: Your random words overwrote the [MASK]s
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.8), MASK, ids)
    inputs = torch.where(chosen & (kind < 0.9), random_ids, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: labels with what the model reads
# says: Your labels are what the model reads
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, inputs, -100)


# %% masking: draws special tokens at random
# says: You drew special tokens as random words
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = (which * len(VOCAB)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: rounds to the nearest word
# says: You rounded to the nearest number
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).round().long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: takes the first word for a special token
# says: the words begin with number FIRST_WORD
def mask_tokens(ids, chance, kind, which):
    chosen = (ids > FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: chooses a fifth of the words
# says: You chose more than 15% of the words
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.2)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: never draws the last word
# says: You never draw the last word
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD - 1)).long()
    inputs = torch.where(chosen & (kind < 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: changes the ids in place
# says: You changed the ids that were handed in
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    labels = torch.where(chosen, ids, -100)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    to_random = chosen & (kind >= 0.8) & (kind < 0.9)
    ids[chosen & (kind < 0.8)] = MASK
    ids[to_random] = random_ids[to_random]
    return ids, labels


# %% masking: swaps the two ten percents
# says: You swapped the last two kinds
def mask_tokens(ids, chance, kind, which):
    chosen = (ids >= FIRST_WORD) & (chance < 0.15)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(chosen & (kind >= 0.9), random_ids, ids)
    inputs = torch.where(chosen & (kind < 0.8), MASK, inputs)
    return inputs, torch.where(chosen, ids, -100)


# %% masking: hides 80 percent of all words
# says: You chose 80% of the words
def mask_tokens(ids, chance, kind, which):
    words = ids >= FIRST_WORD
    to_mask, to_random = words & (chance < 0.8), words & (chance >= 0.8) & (chance < 0.9)
    random_ids = FIRST_WORD + (which * (len(VOCAB) - FIRST_WORD)).long()
    inputs = torch.where(to_random, random_ids, torch.where(to_mask, MASK, ids))
    return inputs, torch.where(words & (chance < 0.8), ids, -100)


# %% masked-loss: averages before it weights
# says: You averaged over all tokens, and weighted the mean
def masked_loss(logits, labels):
    weights = (labels != -100).float()
    loss = cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten())
    return (loss * weights).sum() / weights.sum().clamp(min=1)


# %% masked-loss: divides by all tokens
# says: You divided by the number of all tokens
def masked_loss(logits, labels):
    weights = labels != -100
    losses = cross_entropy(logits.mT, labels.clamp(min=0), reduction="none")
    return (losses * weights).mean()


# %% masked-loss: shifts the labels
# says: You shifted the labels by one
def masked_loss(logits, labels):
    logits, labels = logits[:, :-1], labels[:, 1:]
    summed = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    return summed / (labels != -100).sum().clamp(min=1)


# %% masked-loss: takes scores for log-probabilities
# says: You took scores for log-probabilities
def masked_loss(logits, labels):
    asked = labels != -100
    losses = -logits.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (losses * asked).sum() / asked.sum().clamp(min=1)


# %% masked-loss: normalizes over the positions
# says: Your softmax runs over the positions
def masked_loss(logits, labels):
    asked = labels != -100
    losses = -logits.log_softmax(dim=1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (losses * asked).sum() / asked.sum().clamp(min=1)


# %% masked-loss: sums
# says: You summed: then a batch
def masked_loss(logits, labels):
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")


# %% masked-loss: measures in bits
# says: You took the logarithm to base 2
def masked_loss(logits, labels):
    asked = labels != -100
    losses = -logits.softmax(dim=-1).log2().gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (losses * asked).sum() / asked.sum().clamp(min=1)


# %% masked-loss: forgets the logarithm
# says: You averaged probabilities
def masked_loss(logits, labels):
    asked = labels != -100
    losses = -logits.softmax(dim=-1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (losses * asked).sum() / asked.sum().clamp(min=1)


# %% masked-loss: averages the sentences
# says: You averaged each sentence, then the averages
def masked_loss(logits, labels):
    asked = labels != -100
    losses = cross_entropy(logits.mT, labels, reduction="none")
    return (losses.sum(dim=1) / asked.sum(dim=1).clamp(min=1)).mean()


# %% masked-loss: divides by nothing
# says: You divided 0 by 0
def masked_loss(logits, labels):
    return cross_entropy(logits.flatten(0, 1), labels.flatten())


# %% masked-loss: cuts the gradient off
# says: no gradient flows from it to the scores
def masked_loss(logits, labels):
    asked = labels != -100
    losses = cross_entropy(logits.detach().mT, labels, reduction="none")
    return losses.sum() / asked.sum().clamp(min=1)


# %% masked-loss: returns a constant where nothing is asked
# says: return no constant, not even for a batch without labels
def masked_loss(logits, labels):
    if (labels == -100).all():
        return torch.tensor(0.0)
    return cross_entropy(logits.flatten(0, 1), labels.flatten())


# %% masked-loss: returns a float
# says: (float): the task asks for a Tensor
def masked_loss(logits, labels):
    asked = labels != -100
    losses = cross_entropy(logits.mT, labels, reduction="none")
    return (losses.sum() / asked.sum().clamp(min=1)).item()


# %% masked-loss: returns one loss for each token
# says: the task asks for one number
def masked_loss(logits, labels):
    return cross_entropy(logits.mT, labels, reduction="none")


# %% causal: does not shift
# says: You did not shift
def causal_lm(ids, attention_mask):
    labels = torch.where(attention_mask == 1, ids, -100)
    return ids[:, :-1], labels[:, :-1]


# %% causal: shifts twice
# says: You shifted twice
def causal_lm(ids, attention_mask):
    labels = torch.where(attention_mask == 1, ids, -100)
    return ids[:, :-2], labels[:, 2:]


# %% causal: shifts backward
# says: You shifted the wrong way
def causal_lm(ids, attention_mask):
    labels = torch.where(attention_mask == 1, ids, -100)
    return ids[:, 1:], labels[:, :-1]


# %% causal: rolls the labels around
# says: You rolled the labels around
def causal_lm(ids, attention_mask):
    labels = torch.where(attention_mask == 1, ids, -100)
    return ids, labels.roll(-1, dims=1)


# %% causal: predicts the last token from itself
# says: Your last token is predicted from itself
def causal_lm(ids, attention_mask):
    labels = torch.where(attention_mask == 1, ids, -100)
    return ids, torch.cat([labels[:, 1:], labels[:, -1:]], dim=1)


# %% causal: predicts padding
# says: You counted padding
def causal_lm(ids, attention_mask):
    return ids[:, :-1], ids[:, 1:]


# %% causal: never asks for the end
# says: nobody asks this model to stop
def causal_lm(ids, attention_mask):
    labels = ids[:, 1:].clone()
    labels[labels == ENGLISH.index("<end>")] = -100
    return ids[:, :-1], labels


# %% causal: writes into the text
# says: You wrote -100 into the text
def causal_lm(ids, attention_mask):
    labels = ids[:, 1:]
    labels[attention_mask[:, 1:] == 0] = -100
    return ids[:, :-1], labels


# %% causal: masks by the input
# says: You asked whether the input is padding
def causal_lm(ids, attention_mask):
    return ids[:, :-1], torch.where(attention_mask[:, :-1] == 1, ids[:, 1:], -100)


# %% spans: does not merge neighbors
# says: corrupted tokens side by side are one span
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted:
            mark = next(sentinels)
            inputs.append(mark)
            targets += [mark, token]
        else:
            inputs.append(token)
    return inputs, [*targets, next(sentinels)]


# %% spans: uses one sentinel for all
# says: You used the same sentinel for every span
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            inputs.append(SENTINELS[0])
            targets.append(SENTINELS[0])
        (targets if corrupted else inputs).append(token)
        before = corrupted
    return inputs, [*targets, SENTINELS[0]]


# %% spans: forgets the last sentinel
# says: You forgot the final sentinel
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            mark = next(sentinels)
            inputs.append(mark)
            targets.append(mark)
        (targets if corrupted else inputs).append(token)
        before = corrupted
    return inputs, targets


# %% spans: leaves the span in the input
# says: You left the text of the spans in the input
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            mark = next(sentinels)
            inputs.append(mark)
            targets.append(mark)
        inputs.append(token)
        if corrupted:
            targets.append(token)
        before = corrupted
    return inputs, [*targets, next(sentinels)]


# %% spans: writes a sentinel a token in the target
# says: Your target repeats a sentinel for every token
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            mark = next(sentinels)
            inputs.append(mark)
        if corrupted:
            targets += [mark, token]
        else:
            inputs.append(token)
        before = corrupted
    return inputs, [*targets, next(sentinels)]


# %% spans: closes with a used sentinel
# says: You ended the target with the sentinel of the last span
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    count = 0
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            inputs.append(SENTINELS[count])
            targets.append(SENTINELS[count])
            count += 1
        (targets if corrupted else inputs).append(token)
        before = corrupted
    return inputs, [*targets, SENTINELS[max(count - 1, 0)]]


# %% spans: writes no sentinels into the target
# says: Your target has no sentinels
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    before = False
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted and not before:
            inputs.append(next(sentinels))
        (targets if corrupted else inputs).append(token)
        before = corrupted
    return inputs, targets


# %% spans: loses a span at the end
# says: You lost the span at the end of the text
def corrupt_spans(tokens, noise):
    inputs, targets, span = [], [], []
    sentinels = iter(SENTINELS)
    for token, corrupted in zip(tokens, noise, strict=True):
        if corrupted:
            span.append(token)
            continue
        if span:
            mark = next(sentinels)
            inputs.append(mark)
            targets += [mark, *span]
            span = []
        inputs.append(token)
    return inputs, [*targets, next(sentinels)]


# %% spans: looks around the corner
# says: noise[-1] is the *last* entry
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    for position, token in enumerate(tokens):
        if noise[position] and not noise[position - 1]:
            mark = next(sentinels)
            inputs.append(mark)
            targets.append(mark)
        (targets if noise[position] else inputs).append(token)
    return inputs, [*targets, next(sentinels)]


# %% spans: finds tokens by their text
# says: You found the tokens by their text
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    sentinels = iter(SENTINELS)
    before = False
    for token in tokens:
        corrupted = noise[tokens.index(token)]
        if corrupted and not before:
            mark = next(sentinels)
            inputs.append(mark)
            targets.append(mark)
        (targets if corrupted else inputs).append(token)
        before = corrupted
    return inputs, [*targets, next(sentinels)]


# %% spans: takes equal spans for one
# says: You gave equal spans the same sentinel
def corrupt_spans(tokens, noise):
    inputs, targets, marks = [], [], {}
    position = 0
    while position < len(tokens):
        end = position
        while end < len(tokens) and noise[end]:
            end += 1
        span = tuple(tokens[position:end])
        if span:
            mark = marks.setdefault(span, SENTINELS[len(marks)])
            inputs.append(mark)
            targets += [mark, *span]
        else:
            inputs.append(tokens[position])
        position = max(end, position + 1)
    return inputs, [*targets, SENTINELS[len(marks)]]


# %% spans: never moves on
# says: does a loop in it never end
def corrupt_spans(tokens, noise):
    inputs, targets = [], []
    position = 0
    while position < len(tokens):
        if noise[position]:
            targets.append(tokens[position])
            position += 1
    return inputs, targets


# %% replaced: takes the best guess
# says: You took the generator's best guess
def replace_tokens(ids, chosen, logits, draws):
    inputs = torch.where(chosen, logits.argmax(dim=-1), ids)
    return inputs, (inputs != ids).long().masked_fill(ids == PAD, -100)


# %% replaced: fills in everywhere
# says: You took samples everywhere
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    return samples, (samples != ids).long().masked_fill(ids == PAD, -100)


# %% replaced: leaves the masks in
# says: You left the [MASK]s in
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    labels = (chosen & (samples != ids)).long().masked_fill(ids == PAD, -100)
    return torch.where(chosen, MASK, ids), labels


# %% replaced: turns the labels around
# says: Your labels are the wrong way round
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    inputs = torch.where(chosen, samples, ids)
    return inputs, (inputs == ids).long().masked_fill(ids == PAD, -100)


# %% replaced: samples from raw scores
# says: You laid the scores end to end
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    inputs = torch.where(chosen, samples, ids)
    return inputs, (inputs != ids).long().masked_fill(ids == PAD, -100)


# %% replaced: labels with the original ids
# says: Your labels are the original ids
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    return torch.where(chosen, samples, ids), torch.where(chosen, ids, -100)


# %% replaced: takes the word before the draw
# says: You took the word before the one that the draw points into
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends <= draws.unsqueeze(-1)).sum(dim=-1) - 1
    inputs = torch.where(chosen, samples, ids)
    return inputs, (inputs != ids).long().masked_fill(ids == PAD, -100)


# %% replaced: never draws the last word
# says: You never draw the last word of the vocabulary
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-2] <= draws.unsqueeze(-1)).sum(dim=-1)
    inputs = torch.where(chosen, samples, ids)
    labels = (inputs != ids).long()
    return inputs, labels.masked_fill(ids == PAD, -100)


# %% replaced: counts lucky samples as replaced
# says: a sample that equals the original is original
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    return torch.where(chosen, samples, ids), chosen.long().masked_fill(ids == PAD, -100)


# %% replaced: labels the chosen tokens only
# says: You labeled only the filled holes
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    inputs = torch.where(chosen, samples, ids)
    return inputs, (inputs != ids).long().masked_fill(~chosen, -100)


# %% replaced: labels padding
# says: You labeled padding
def replace_tokens(ids, chosen, logits, draws):
    ends = logits.softmax(dim=-1).cumsum(dim=-1)
    samples = (ends[..., :-1] <= draws.unsqueeze(-1)).sum(dim=-1)
    inputs = torch.where(chosen, samples, ids)
    return inputs, (inputs != ids).long()


# %% sentence-pairs: crosses the border of a document
# says: You paired the last sentence of a document with the first of the next
def sentence_pairs(documents, draws, objective):
    sentences = [(index, sentence) for index, document in enumerate(documents) for sentence in document]
    pairs = []
    for (index, first), (_, second) in pairwise(sentences):
        others = documents[:index] + documents[index + 1 :]
        coin, which, place = draws[len(pairs) % len(draws)]
        other = others[int(which * len(others))]
        wrong = (second, first, 1) if objective == "sop" else (first, other[int(place * len(other))], 1)
        pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: turns the labels around
# says: Your labels are the wrong way round
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (second, first, 0) if objective == "sop" else (first, other[int(place * len(other))], 0)
            pairs.append((first, second, 1) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: uses every sentence once
# says: You used every sentence in one pair only
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in zip(document[::2], document[1::2], strict=False):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (second, first, 1) if objective == "sop" else (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: draws from the same document
# says: Your wrong sentences can come from the same document
def sentence_pairs(documents, draws, objective):
    pairs = []
    for document in documents:
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = documents[int(which * len(documents))]
            wrong = (second, first, 1) if objective == "sop" else (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: moves on to the next document
# says: Where you drew the document itself, you moved on
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            found = int(which * len(documents))
            other = documents[(found + (found == index)) % len(documents)]
            wrong = (second, first, 1) if objective == "sop" else (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: takes the first sentence
# says: You always took the first sentence of the other document
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, _ = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (second, first, 1) if objective == "sop" else (first, other[0], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: replaces the first sentence
# says: You replaced the first sentence
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (second, first, 1) if objective == "sop" else (other[int(place * len(other))], second, 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: takes another document for SOP
# says: Your SOP takes another document
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: does not swap
# says: You did not swap
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (first, second, 1) if objective == "sop" else (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs


# %% sentence-pairs: labels a swapped pair 0
# says: the label is still 0
def sentence_pairs(documents, draws, objective):
    pairs = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for first, second in pairwise(document):
            coin, which, place = draws[len(pairs)]
            other = others[int(which * len(others))]
            wrong = (second, first, 0) if objective == "sop" else (first, other[int(place * len(other))], 1)
            pairs.append((first, second, 0) if coin < 0.5 else wrong)
    return pairs
