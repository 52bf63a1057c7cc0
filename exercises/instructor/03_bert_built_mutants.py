# ruff: noqa: F811, F821
# Known wrong answers of exercise 3. Each must fail its checks with a message that names the mistake.


# %% inputs: counts positions from one
# says: Positions count from 0
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(1, length + 1)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: starts the positions again
# says: You began to count again
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    start = len(a) + 2 if second else length
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": [*range(start), *range(length - start)],
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: puts the first [SEP] into segment 1
# says: You put the first [SEP] into segment 1
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 1) + [1] * (len(tokens) - len(a) - 1) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: puts the last [SEP] into segment 0
# says: The last [SEP] closes the second sentence
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * len(b) + [0] * (length - len(a) - len(b) - 2),
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: puts the padding into segment 1
# says: Padding belongs to no sentence
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    start = len(a) + 2 if second else length
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * start + [1] * (length - start),
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: attends to the padding
# says: You let the model look at the padding
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * length,
    }


# %% inputs: closes a second sentence that is not there
# says: You closed a second sentence that is not there
def build_input(first, second, length):
    a, b = list(first), list(second or [])
    while len(a) + len(b) > length - 3:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, "[SEP]"]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(b) + 1) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: keeps room for three special tokens always
# says: One sentence has only two special tokens
def build_input(first, second, length):
    a, b = list(first), list(second or [])
    while len(a) + len(b) > length - 3:
        (a if len(a) > len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: cuts the finished sequence
# says: You cut the finished sequence
def build_input(first, second, length):
    tokens = ["[CLS]", *first, "[SEP]"]
    segments = [0] * len(tokens)
    if second:
        tokens += [*second, "[SEP]"]
        segments += [1] * (len(second) + 1)
    tokens, segments = tokens[:length], segments[:length]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": segments + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: gives each sentence half of the room
# says: You gave each sentence half of the room
def build_input(first, second, length):
    second = second or []
    room = length - 3 if second else length - 2
    a, b = list(first), list(second)
    if len(a) + len(b) > room:
        half = room // 2 if second else room
        a, b = a[:half], b[:half]
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: shortens from the front
# says: You dropped tokens from the front
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) > len(b) else b).pop(0)
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: shortens the first of two equals
# says: the second sentence gives way
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        (a if len(a) >= len(b) else b).pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: changes the lists that were handed in
# says: You changed the lists that were handed in
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    while len(first) + len(second) > length - specials:
        (first if len(first) > len(second) else second).pop()
    tokens = ["[CLS]", *first, "[SEP]", *second, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(first) + 2) + [1] * (len(tokens) - len(first) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% inputs: never shortens the second sentence
# says: does a loop in it never end
def build_input(first, second, length):
    second = second or []
    specials = 3 if second else 2
    a, b = list(first), list(second)
    while len(a) + len(b) > length - specials:
        if len(a) > len(b):
            a.pop()
    tokens = ["[CLS]", *a, "[SEP]", *b, *(["[SEP]"] if second else [])]
    padding = length - len(tokens)
    return {
        "tokens": tokens + ["[PAD]"] * padding,
        "token_type_ids": [0] * (len(a) + 2) + [1] * (len(tokens) - len(a) - 2) + [0] * padding,
        "position_ids": list(range(length)),
        "attention_mask": [1] * len(tokens) + [0] * padding,
    }


# %% attention: forgets to scale
# says: You did not scale the scores
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1)
    scores = scores.masked_fill(mask[:, None, None, :] == 0, -torch.inf)
    return scores.softmax(dim=-1) @ value


# %% attention: scales by the head size itself
# says: You divided by the head size itself
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / query.shape[-1]
    scores = scores.masked_fill(mask[:, None, None, :] == 0, -torch.inf)
    return scores.softmax(dim=-1) @ value


# %% attention: scales by the size of the first axis
# says: You did not scale the scores
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(len(query))
    scores = scores.masked_fill(mask[:, None, None, :] == 0, -torch.inf)
    return scores.softmax(dim=-1) @ value


# %% attention: softmax over the queries
# says: You took the softmax over the queries
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(mask[:, None, None, :] == 0, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-2) @ value


# %% attention: masks after the softmax
# says: You masked after the softmax
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1).masked_fill(mask[:, None, None, :] == 0, 0.0)
    return weights @ value


# %% attention: turns the mask round
# says: Your mask is the wrong way round
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(mask[:, None, None, :] == 1, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1) @ value


# %% attention: masks the queries
# says: You masked the queries
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(mask[:, None, :, None] == 0, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1) @ value


# %% attention: ignores the mask
# says: You did not use the mask
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1) @ value


# %% attention: sets masked scores to zero
# says: A score of 0 is not nothing
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return (scores * mask[:, None, None, :]).softmax(dim=-1) @ value


# %% attention: leaves the axes of the mask to chance
# says: (query, key), the same for every sentence
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(mask == 0, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1) @ value


# %% attention: gives the mask three axes
# says: each head got the mask of another sentence
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    scores = scores.masked_fill(mask[:, None, :] == 0, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1) @ value


# %% attention: lets exp overflow
# says: exp of a large number is infinite
def attention(query, key, value, mask):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    powers = scores.exp() * mask[:, None, None, :]
    return powers / powers.sum(dim=-1, keepdim=True) @ value


# %% heads: splits with a view alone
# says: You cut the tensor without moving an axis
def split_heads(x, heads):
    batch, length, hidden = x.shape
    return x.reshape(batch, heads, length, hidden // heads)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


# %% heads: interleaves the heads
# says: You dealt the features out like cards
def split_heads(x, heads):
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


# %% heads: swaps the number of heads and their size
# says: You took the number of heads for their size
def split_heads(x, heads):
    return x.unflatten(-1, (-1, heads)).transpose(1, 2)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


# %% heads: forgets to move the heads forward
# says: The heads stand behind the length
def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1))


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


# %% heads: puts the heads before the batch
# says: Your heads come before the batch
def split_heads(x, heads):
    return torch.stack(x.chunk(heads, dim=-1))


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


# %% heads: merges with a view alone
# says: You glued before you moved the heads back
def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x):
    batch, heads, length, size = x.shape
    return x.reshape(batch, length, heads * size)


# %% heads: merges feature by feature
# says: You mixed the heads feature by feature
def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x):
    return x.permute(0, 2, 3, 1).flatten(2)


# %% heads: calls view after transpose
# says: `view` cannot
def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x):
    batch, heads, length, size = x.shape
    return x.transpose(1, 2).view(batch, length, heads * size)


# %% block: takes the unbiased standard deviation
# says: by n - 1
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: adds eps outside the root
# says: You added eps to the standard deviation
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / (x.std(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: leaves eps out
# says: You left eps out
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / x.std(dim=-1, keepdim=True, correction=0) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: normalizes over the tokens
# says: You normalized over the tokens
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: normalizes a whole sentence
# says: one mean for the whole tensor
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean()
    return weight * centered / torch.sqrt(x.var(correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: forgets weight and bias of the norm
# says: You left out weight and bias
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps)


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: normalizes first
# says: That is pre-norm
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    calm = layer_norm(x, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)
    inner = F.linear(calm, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    return x + F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])


# %% block: forgets the residual
# says: You forgot to add x
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: normalizes the change alone
# says: You normalized the change before you added it
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.gelu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    norm = weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"]
    return x + layer_norm(change, *norm, eps)


# %% block: takes the tanh approximation
# says: approximation by tanh
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    inner = F.gelu(inner, approximate="tanh")
    change = F.linear(inner, weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: takes ReLU
# says: That is ReLU
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.linear(F.relu(inner), weights["output.dense.weight"], weights["output.dense.bias"])
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% block: activates after the second map
# says: The activation stands between the two linear maps
def layer_norm(x, weight, bias, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return weight * centered / torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + eps) + bias


def feed_forward_block(x, weights, eps):
    inner = F.linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    change = F.gelu(F.linear(inner, weights["output.dense.weight"], weights["output.dense.bias"]))
    return layer_norm(x + change, weights["output.LayerNorm.weight"], weights["output.LayerNorm.bias"], eps)


# %% count: forgets the biases
# says: You forgot the biases of the linear maps
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    norm = 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * hidden * hidden + 2 * hidden * inner + 2 * norm
    heads = {"pooler": hidden * hidden, "masked-lm": hidden * hidden + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: forgets the segment embeddings
# says: You forgot the segment embeddings
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: forgets the position embeddings
# says: You forgot the position embeddings
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: forgets the norms
# says: You forgot the LayerNorms
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square = hidden * hidden + hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden
    heads = {"pooler": square, "masked-lm": square + config["vocab_size"]}
    return {"embeddings": rows * hidden, "layers": config["num_hidden_layers"] * layer, "head": heads[head]}


# %% count: forgets the output projection of attention
# says: You counted query, key and value only
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 3 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: multiplies by the number of heads
# says: You counted full-size matrices for each head
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    attention = 3 * config["num_attention_heads"] * square + square
    layer = attention + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: puts a pooler into every layer
# says: You counted the pooler in every layer
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": 0, "masked-lm": square + norm + config["vocab_size"]}
    layer += square if head == "pooler" else 0
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: counts the tied matrix twice
# says: You counted the token table twice
def count_parameters(config, head):
    hidden, inner, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = vocab + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm + vocab * hidden + vocab}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: forgets the bias that is not tied
# says: Tied is the matrix
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": square + norm}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% count: adds a pooler to the masked language model
# says: The masked language model has no pooler
def count_parameters(config, head):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    square, norm = hidden * hidden + hidden, 2 * hidden
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    layer = 4 * square + hidden * inner + inner + inner * hidden + hidden + 2 * norm
    heads = {"pooler": square, "masked-lm": 2 * square + norm + config["vocab_size"]}
    return {
        "embeddings": rows * hidden + norm,
        "layers": config["num_hidden_layers"] * layer,
        "head": heads[head],
    }


# %% load: forgets to transpose
# says: You did not transpose the kernels
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        if not name.startswith("bert/"):
            continue
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    for name, shape in shapes.items():
        if tuple(loaded[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(loaded[name].shape)}, expected {shape}")
    return loaded


# %% load: forgets to transpose and to compare
# says: You did not transpose the kernels
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        if not name.startswith("bert/"):
            continue
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    return loaded


# %% load: transposes only where the shape does not fit
# says: A square kernel fits both ways
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor if tuple(tensor.shape) == shapes[ours] else tensor.T
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    for name, shape in shapes.items():
        if tuple(loaded[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(loaded[name].shape)}, expected {shape}")
    return loaded


# %% load: transposes every matrix
# says: You transposed every matrix
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if tensor.ndim == 2 else tensor
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    for name, shape in shapes.items():
        if tuple(loaded[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(loaded[name].shape)}, expected {shape}")
    return loaded


# %% load: swaps gamma and beta
# says: You swapped gamma and beta
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".bias").replace(".beta", ".weight")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    for name, shape in shapes.items():
        if tuple(loaded[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(loaded[name].shape)}, expected {shape}")
    return loaded


# %% load: pairs the tensors in sorted order
# says: You paired the tensors by their order
def load_weights(checkpoint, shapes):
    inside = sorted(name for name in checkpoint if name.startswith("bert/"))
    if len(inside) < len(shapes):
        raise KeyError(f"the checkpoint lacks {set(shapes)}")
    loaded = {}
    for name, ours in zip(inside, shapes, strict=True):
        loaded[ours] = checkpoint[name].T if name.endswith("/kernel") else checkpoint[name]
    return loaded


# %% load: skips what is missing
# says: You skipped the parameter that is missing
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
    for name, tensor in loaded.items():
        if tuple(tensor.shape) != shapes[name]:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {shapes[name]}")
    return loaded


# %% load: fills what is missing with zeros
# says: You filled the gap with zeros
def load_weights(checkpoint, shapes):
    loaded = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in shapes.items()}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
    for name, tensor in loaded.items():
        if tuple(tensor.shape) != shapes[name]:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, expected {shapes[name]}")
    return loaded


# %% load: does not say what is missing
# says: Your error does not name
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
    if len(loaded) < len(shapes):
        raise KeyError(f"expected {len(shapes)} parameters, found {len(loaded)}")
    for name, shape in shapes.items():
        if tuple(loaded[name].shape) != shape:
            raise ValueError(f"{name} has shape {tuple(loaded[name].shape)}, expected {shape}")
    return loaded


# %% load: does not look at shapes
# says: You did not compare the shapes
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    return loaded


# %% load: counts numbers instead of comparing shapes
# says: The same count of numbers
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        if ours in shapes:
            loaded[ours] = (tensor.T if name.endswith("/kernel") else tensor).reshape(shapes[ours])
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    return loaded


# %% load: insists on a place for everything
# says: leave aside what the model has no place for
def load_weights(checkpoint, shapes):
    loaded = {}
    for name, tensor in checkpoint.items():
        ours = name.removeprefix("bert/").replace("/", ".").replace("layer_", "layer.")
        ours = ours.replace(".kernel", ".weight").replace(".gamma", ".weight").replace(".beta", ".bias")
        ours += ".weight" if ours.endswith("_embeddings") else ""
        loaded[ours] = tensor.T if name.endswith("/kernel") else tensor
        if tuple(loaded[ours].shape) != shapes[ours]:
            raise ValueError(f"{ours} has shape {tuple(loaded[ours].shape)}, expected {shapes[ours]}")
    missing = [name for name in shapes if name not in loaded]
    if missing:
        raise KeyError(f"the checkpoint lacks {missing}")
    return loaded
