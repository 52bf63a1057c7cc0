# ruff: noqa: F811, F821, F841
# Known wrong answers of exercise 5. Each must fail its checks with a message that names the mistake.


# %% masks: never changes the masks
# says: Your masks are the same in each epoch
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = 0
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: always draws anew
# says: You drew new masks in each epoch though there are static cop
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: stays on the last copy
# says: You stayed on the last copy
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else min(epoch, copies - 1)
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: takes each copy several times in a row
# says: You went through each copy several times in a row
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch // copies
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: counts one copy too many
# says: You used one copy too many
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch % (copies + 1)
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: takes dynamic for one copy
# says: You took `None` for one copy
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch % (copies or 1)
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: masks special tokens
# says: You masked special tokens
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch % copies
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if draw(copy, number, place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: masks all texts alike
# says: You used the same draws for every text
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch % copies
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, min(number, 0), place) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: counts words without special tokens
# says: You counted places without [CLS]
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch % copies
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place - 1) < 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: masks the other 85%
# says: You masked where the draw is above 0.15
def epoch_inputs(texts, epoch, copies, draw):
    found = []
    copy = epoch if copies is None else epoch % copies
    for number, text in enumerate(texts):
        words = []
        for place, word in enumerate(text.split()):
            words.append("[MASK]" if word[0] != "[" and draw(copy, number, place) >= 0.15 else word)
        found.append(" ".join(words))
    return found


# %% masks: piles up masks
# says: You changed the texts that were handed in
def epoch_inputs(texts, epoch, copies, draw):
    copy = epoch if copies is None else epoch % copies
    for number, text in enumerate(texts):
        words = text.split()
        for place, word in enumerate(words):
            if not word.startswith("[") and draw(copy, number, place) < 0.15:
                words[place] = "[MASK]"
        texts[number] = " ".join(words)
    return list(texts)


# %% sharing: copies the block
# says: Your layers are copies
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [deepcopy(blocks[layer * groups // layers]) for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: makes a block for each layer
# says: You made a block for each layer
def make_layers(make, layers, groups):
    return [make() for _ in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: shares one block among all
# says: You shared one block among all layers
def make_layers(make, layers, groups):
    return [make()] * layers


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: takes turns
# says: Your groups take turns
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer % groups] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: returns one layer a group
# says: You returned one layer for each group
def make_layers(make, layers, groups):
    return [make() for _ in range(groups)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: swaps layers and groups
# says: You swapped the two numbers
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(layers // groups)]
    return [blocks[layer // groups] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: never ends
# says: does a loop in it never end
def make_layers(make, layers, groups):
    blocks = []
    while len(blocks) < layers:
        block = make()
    return blocks


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + groups * block


# %% sharing: counts every layer
# says: You counted every layer
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + layers * block


# %% sharing: counts one block
# says: You counted one block whatever the groups
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * embedding + projection + block


# %% sharing: forgets the map
# says: You forgot the map from the narrow table to the layers
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    return vocab * embedding + groups * block


# %% sharing: forgets the bias of the map
# says: You forgot the bias of the map
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden
    return vocab * embedding + projection + groups * block


# %% sharing: always has a map
# says: You have a map even where the table is as wide as the layers
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    return vocab * embedding + embedding * hidden + hidden + groups * block


# %% sharing: keeps the wide table
# says: You kept a table as wide as the layers
def make_layers(make, layers, groups):
    blocks = [make() for _ in range(groups)]
    return [blocks[layer * groups // layers] for layer in range(layers)]


def count_parameters(vocab, embedding, hidden, block, layers, groups):
    projection = 0 if embedding == hidden else embedding * hidden + hidden
    return vocab * hidden + projection + groups * block


# %% window: computes the full matrix
# says: Your result is right and its cost is not
def window_attention(query, key, value, radius):
    n = len(query)
    distance = (torch.arange(n)[:, None] - torch.arange(n)).abs()
    scores = query @ key.T / query.shape[1] ** 0.5
    return scores.masked_fill(distance > radius, -torch.inf).softmax(-1) @ value


# %% window: looks too near
# says: Your window is one too narrow on both sides
def window_attention(query, key, value, radius):
    radius = max(radius - 1, 0)
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: misses the last neighbor
# says: Your window misses its last token on the right
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1 - (radius > 0)
    keys = pad(key, (0, 0, radius, radius - (radius > 0))).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius - (radius > 0))).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: looks to the left only
# says: Your window has no right side
def window_attention(query, key, value, radius):
    n, width = len(query), radius + 1
    keys = pad(key, (0, 0, radius, 0)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, 0)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: shifts the band
# says: Your band is shifted by one
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius - 1, radius + 1)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius - 1, radius + 1)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + 1 + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: attends to the padding
# says: You attended to the zeros before the first and behind the la
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    pass
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: hides the wrong places
# says: You hid places by their distance, but not those before the f
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < -1) | (places > n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: forgets the scale
# says: You forgot to divide by the root of d
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys)
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: divides by d
# says: You divided by d
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1]
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", scores.softmax(-1), values)


# %% window: takes the softmax over the tokens
# says: You took the softmax along the text
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum("nw,ndw->nd", torch.nan_to_num(scores.softmax(0)), values)


# %% window: takes the mean of the window
# says: You took the mean of the values in the window
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    return torch.einsum(
        "nw,ndw->nd",
        ((places >= 0) & (places < n)).double()
        / ((places >= 0) & (places < n)).double().sum(-1, keepdim=True),
        values,
    )


# %% window: weighs the first feature only
# says: You weighed the first column of the values only
def window_attention(query, key, value, radius):
    n, width = len(query), 2 * radius + 1
    keys = pad(key, (0, 0, radius, radius)).unfold(0, width, 1)
    values = pad(value, (0, 0, radius, radius)).unfold(0, width, 1)
    scores = torch.einsum("nd,ndw->nw", query, keys) / query.shape[1] ** 0.5
    places = torch.arange(n)[:, None] - radius + torch.arange(width)
    scores = scores.masked_fill((places < 0) | (places >= n), -torch.inf)
    weighed = torch.einsum("nw,nw->n", scores.softmax(-1), values[:, 0])
    return torch.cat([weighed[:, None], value[:, 1:]], dim=1)


# %% boundary: takes the ends of the span itself
# says: You took the first and the last token of the span
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start], words[end], place - start + 1))
    return found


# %% boundary: takes the end as excluded on the right
# says: Your right boundary is the last token of the span
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start - 1], words[end], place - start + 1))
    return found


# %% boundary: takes the left boundary inside
# says: Your left boundary is the first token of the span
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start], words[end + 1], place - start + 1))
    return found


# %% boundary: takes the neighbors of the token
# says: You took the neighbors of the hidden token
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[place - 1], words[place + 1], place - start + 1))
    return found


# %% boundary: counts from zero
# says: Your offsets count from 0
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start - 1], words[end + 1], place - start))
    return found


# %% boundary: counts from the end
# says: Your offsets count from the end of the span
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start - 1], words[end + 1], end - place + 1))
    return found


# %% boundary: counts in the text
# says: Your offsets are places in the text
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start - 1], words[end + 1], place))
    return found


# %% boundary: counts on over spans
# says: Your offsets go on from one span to the next
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 1):
            found.append((words[place], words[start - 1], words[end + 1], len(found) + 1))
    return found


# %% boundary: forgets the last token
# says: You asked nothing about the last token of a span
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end):
            found.append((words[place], words[start - 1], words[end + 1], place - start + 1))
    return found


# %% boundary: asks for the first token only
# says: You asked about the first token of a span only
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, start + 1):
            found.append((words[place], words[start - 1], words[end + 1], place - start + 1))
    return found


# %% boundary: goes too far
# says: You asked about the right boundary itself
def boundary_questions(words, spans):
    found = []
    for start, end in spans:
        for place in range(start, end + 2):
            found.append((words[place], words[start - 1], words[end + 1], place - start + 1))
    return found


# %% marginal: takes the mean of the logarithms
# says: You took the mean of the logarithms
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return (scores[best].softmax(-1) * answers[best]).sum()


# %% marginal: takes the best document only
# says: You took the largest term instead of the sum
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return (scores[best].log_softmax(-1) + answers[best]).max()


# %% marginal: normalizes over all documents
# says: You took the softmax over all documents and then kept k
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return torch.logsumexp(scores.log_softmax(-1)[best] + answers[best], dim=-1)


# %% marginal: does not normalize
# says: You did not normalize the scores
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return torch.logsumexp(scores[best] + answers[best], dim=-1)


# %% marginal: forgets the retriever
# says: You gave all documents the same probability
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return torch.logsumexp(answers[best], dim=-1) - torch.log(torch.tensor(float(k)))


# %% marginal: adds up all documents
# says: You summed over all documents
def marginal_log_likelihood(scores, answers, k):
    return torch.logsumexp(scores.log_softmax(-1) + answers, dim=-1)


# %% marginal: takes the first documents
# says: You took the first k documents
def marginal_log_likelihood(scores, answers, k):
    return torch.logsumexp(scores[:k].log_softmax(-1) + answers[:k], dim=-1)


# %% marginal: takes the worst documents
# says: You took the k documents with the smallest scores
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k, largest=False).indices
    return torch.logsumexp(scores[best].log_softmax(-1) + answers[best], dim=-1)


# %% marginal: chooses by the answer
# says: You chose the documents that explain the answer best
def marginal_log_likelihood(scores, answers, k):
    best = answers.topk(k).indices
    return torch.logsumexp(scores[best].log_softmax(-1) + answers[best], dim=-1)


# %% marginal: leaves the logarithms
# says: Your value is not finite for small likelihoods
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return (scores[best].softmax(-1) * answers[best].exp()).sum().log()


# %% marginal: detaches the retriever
# says: Your value is right, and no gradient reaches the scores
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return torch.logsumexp(scores[best].detach().log_softmax(-1) + answers[best], dim=-1)


# %% marginal: returns the likelihood
# says: You returned the likelihood
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return torch.logsumexp(scores[best].log_softmax(-1) + answers[best], dim=-1).exp()


# %% marginal: returns a loss
# says: You returned the negative logarithm
def marginal_log_likelihood(scores, answers, k):
    best = scores.topk(k).indices
    return -torch.logsumexp(scores[best].log_softmax(-1) + answers[best], dim=-1)
