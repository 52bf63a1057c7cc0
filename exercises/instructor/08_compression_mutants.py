# ruff: noqa: F811, F821, F841
# Known wrong answers of exercise 8. Each must fail its checks with a message that names the mistake.


# %% quantize: takes one scale for the whole matrix
# says: You took one scale for the whole matrix
def quantize_rows(weight):
    scale = (weight.abs().amax() / 127).expand(len(weight), 1)
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: takes a scale for each column
# says: You took a scale for each column
def quantize_rows(weight):
    scale = weight.abs().amax(dim=0, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: takes the largest value
# says: You took the largest value, not the largest absolute value
def quantize_rows(weight):
    scale = weight.amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: divides by 128
# says: You divided by 128
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 128
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-128, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: divides by 255
# says: You divided by 255
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: spreads the row over both ends
# says: You spread each row from its smallest to its largest value
def quantize_rows(weight):
    scale = (weight.amax(dim=1, keepdim=True) - weight.amin(dim=1, keepdim=True)) / 254
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: takes the mean size
# says: You took the mean absolute value
def quantize_rows(weight):
    scale = weight.abs().mean(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: truncates
# says: You cut the digits off
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: rounds down
# says: You rounded down
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).floor().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: rounds up
# says: You rounded up
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).ceil().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: multiplies by the scale
# says: You multiplied by the scale
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight * scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: keeps floats
# says: You kept the integers as floats
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: shifts to positive integers
# says: You shifted the integers to 0 ... 255
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = ((weight / scale).round().clamp(-127, 127) + 128).to(torch.uint8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: forgets the zero point
# says: You used a grid with a zero point, and lost it on the way
def quantize_rows(weight):
    scale = (weight.amax(dim=1, keepdim=True) - weight.amin(dim=1, keepdim=True)) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    q = ((weight - weight.amin(dim=1, keepdim=True)) / scale).round().clamp(0, 255).to(torch.uint8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: lets rows of zeros divide by zero
# says: You gave a row of zeros the scale 0
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127

    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: adds a small number to the scale
# says: You added a small number to all scales
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127 + 1e-3

    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% quantize: returns flat scales
# says: You returned scales of shape (out,)
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale[:, 0]


def dequantize(q, scale):
    return q * scale


# %% quantize: divides on the way back
# says: You divided by the scale on the way back
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q / scale


# %% quantize: forgets the scale on the way back
# says: You left the scale out on the way back
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return q.to(scale.dtype) + 0 * scale


# %% quantize: subtracts a zero point on the way back
# says: You subtracted a zero point of 128 on the way back
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round().clamp(-127, 127).to(torch.int8)
    return q, scale


def dequantize(q, scale):
    return (q.to(scale.dtype) - 128) * scale


# %% quantize: returns the weights
# says: You returned rounded weights instead of integers
def quantize_rows(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    q = (weight / scale).round() * scale
    return q, scale


def dequantize(q, scale):
    return q * scale


# %% pack: packs the first into the upper half
# says: You exchanged the two halves of a byte
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] << 4 | halves[..., 1::2]).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed >> 4, packed & 15], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: packs the upper half first, unpacks the lower
# says: You exchanged the two halves of a byte
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] << 4 | halves[..., 1::2]).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: unpacks the upper half first
# says: You exchanged the two halves of a byte
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed >> 4, packed & 15], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: forgets the signs
# says: You forgot the sign on the way back
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    return torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)


# %% pack: makes eight positive
# says: You took the half 8 for 8
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 8).to(torch.int8)


# %% pack: makes seven negative
# says: You took the half 7 for -9
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves >= 7).to(torch.int8)


# %% pack: takes 15 for minus eight
# says: You subtracted 15 from the halves above 7
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 15 * (halves > 7).to(torch.int8)


# %% pack: takes the upper bit for a sign
# says: You took the upper bit of a half for a minus sign in front o
def pack4(q):
    halves = torch.where(q < 0, 8 - q.to(torch.int16), q.to(torch.int16))
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return torch.where(halves > 7, 8 - halves, halves)


# %% pack: adds eight
# says: You added 8 to make all values positive
def pack4(q):
    halves = q.to(torch.int16) + 8
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    return torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8) - 8


# %% pack: does not mask negative values
# says: You did not cut the values to four bits
def pack4(q):
    wide = q.to(torch.int16)
    return ((wide[..., 0::2] | wide[..., 1::2] << 4) & 255).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: adds without a mask
# says: You added the two without taking them modulo 16
def pack4(q):
    wide = q.to(torch.int16)
    return ((wide[..., 0::2] + 16 * wide[..., 1::2]) & 255).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: pairs the two halves of a row
# says: You paired the first half of each row with the second
def pack4(q):
    halves = q.to(torch.int16) & 15
    first, second = halves.chunk(2, dim=-1)
    return (first | second << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.cat([packed & 15, packed >> 4], dim=-1).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: unpacks halves in blocks
# says: You put all lower halves before all upper ones when unpackin
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.cat([packed & 15, packed >> 4], dim=-1).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: pairs rows
# says: You paired values of the first axis
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[0::2] | halves[1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: shifts by eight
# says: You shifted by eight bits
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 8).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: multiplies by ten
# says: You multiplied the second value by 10
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] + 10 * halves[..., 1::2]).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: keeps wide integers
# says: You returned 16-bit integers
def pack4(q):
    halves = q.to(torch.int16) & 15
    return halves[..., 0::2] | halves[..., 1::2] << 4


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% pack: returns unsigned values
# says: You returned the values as uint8
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2)
    return halves - 16 * (halves > 7).to(torch.uint8)


# %% pack: flattens
# says: You lost the shape when unpacking
def pack4(q):
    halves = q.to(torch.int16) & 15
    return (halves[..., 0::2] | halves[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed):
    halves = torch.stack([packed & 15, packed >> 4], dim=-1).flatten().to(torch.int8)
    return halves - 16 * (halves > 7).to(torch.int8)


# %% heads: sets heads to zero
# says: You set the other heads to zero
def remove_heads(weights, keep, size):
    features = [head * size + i for head in keep for i in range(size)]
    mask = torch.zeros(len(weights["query.bias"]), dtype=torch.float64)
    mask[features] = 1.0
    new = dict(weights)
    for part in ("query", "key", "value"):
        new[f"{part}.weight"] = weights[f"{part}.weight"] * mask[:, None]
        new[f"{part}.bias"] = weights[f"{part}.bias"] * mask
    return new | {"output.weight": weights["output.weight"] * mask}


# %% heads: cuts the rows of the output map
# says: You cut the output map along its rows
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[[f % len(value) for f in features]]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: leaves the output map whole
# says: You left the output map whole
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: forgets the biases
# says: You left the biases of query, key and value whole
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif not name.endswith(".bias"):
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: drops the output's bias
# says: You cut the bias of the output map
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value[[f % len(value) for f in features]]
    return new


# %% heads: empties the output's bias
# says: You set the bias of the output map to zero
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = 0 * value
    return new


# %% heads: leaves the values
# says: You cut query and key and left value
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif not name.startswith(("output", "value")):
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: cuts the query only
# says: You cut the query only
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name.startswith("query"):
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: removes the heads to keep
# says: You removed the heads that were to be kept
def remove_heads(weights, keep, size):
    features = [
        head * size + i
        for head in sorted({*range(len(weights["query.bias"]) // size)} - {*keep})
        for i in range(size)
    ]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: counts heads from one
# says: You counted heads from 1
def remove_heads(weights, keep, size):
    features = [(head - 1) * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: takes one feature for a head
# says: You took one feature for each head
def remove_heads(weights, keep, size):
    features = sorted(keep)
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: takes features in turn
# says: You took every so many features for a head, as if heads took
def remove_heads(weights, keep, size):
    features = [
        i for i in range(len(weights["query.bias"])) if i % (len(weights["query.bias"]) // size) in keep
    ]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: takes the first heads
# says: You took the first heads, as many as are to be kept
def remove_heads(weights, keep, size):
    features = [head * size + i for head in range(len(keep)) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: multiplies by the number of heads
# says: You used the number of heads to keep as the size of a head
def remove_heads(weights, keep, size):
    features = [
        (head * len(keep) + i) % len(weights["query.bias"]) for head in sorted(keep) for i in range(size)
    ]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: scales the output
# says: You made up for the missing heads by a factor
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features] * len(weights["query.bias"]) / len(features)
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: scales the scores
# says: You changed the size of the scores by scaling the query
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features] * (1.5 if name.startswith("query") else 1.0)
        else:
            new[name] = value
    return new


# %% heads: keeps the order of the list
# says: You kept the heads in the order of the list
def remove_heads(weights, keep, size):
    features = [head * size + i for head in keep for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = value[features]
        else:
            new[name] = value
    return new


# %% heads: cuts the columns of query, key and value
# says: You cut query, key and value along their columns
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    new = {}
    for name, value in weights.items():
        if name == "output.weight":
            new[name] = value[:, features]
        elif name != "output.bias":
            new[name] = (
                value[features] if value.ndim == 1 else value[:, [f % value.shape[1] for f in features]]
            )
        else:
            new[name] = value
    return new


# %% heads: changes the old weights
# says: You changed the old dictionary
def remove_heads(weights, keep, size):
    features = [head * size + i for head in sorted(keep) for i in range(size)]
    weights["output.weight"] = weights["output.weight"][
        :, [f for f in features if f < weights["output.weight"].shape[1]]
    ]
    for part in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            name = f"{part}.{kind}"
            weights[name] = weights[name][[f for f in features if f < len(weights[name])]]
    return weights


# %% vocabulary: drops the special tokens
# says: You dropped the special tokens
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece == "[UNK]" or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: keeps only the first special tokens
# says: You kept [PAD] and [UNK] only
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL[:2] or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: drops single characters
# says: You dropped single characters that no text uses
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number for piece, number in vocabulary.items() if piece in SPECIAL or counts.get(number, 0) >= least
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: drops characters inside words
# says: You dropped single characters with ##
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: strips every hash
# says: You stripped all # from a piece
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.strip("#")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: keeps short pieces
# says: You kept all pieces of two characters
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) <= 2
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: asks for more than least
# says: You asked for more than `least`
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) > least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: keeps all pieces in use
# says: You kept every piece in use
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or number in counts or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: trims what is used
# says: You dropped the pieces that are used, and kept the others
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) < least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: looks counts up without a default
# says: A piece without a count raised an error
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if counts[number] >= least or piece in SPECIAL or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: keeps the old numbers
# says: You kept the old numbers
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: old for old in kept}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: numbers in the order of the file
# says: You numbered the pieces in the order of the dictionary
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = kept
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: numbers by frequency
# says: You numbered the pieces by how often they are used
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept, key=lambda number: -counts.get(number, 0))
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: numbers from one
# says: You numbered from 1
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept, start=1)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: takes the first rows
# says: You took the first rows of the table, as many as there are p
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[: len(kept)]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: leaves the table whole
# says: You left the table whole
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: takes rows in the order of the file
# says: You numbered the pieces by their old numbers and took the ro
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[
        [number for piece, number in vocabulary.items() if number in kept]
    ]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: sets rows to zero
# says: You set the other rows to zero
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table * torch.tensor(
        [[float(n in kept)] for n in range(len(table))], dtype=table.dtype
    )


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], trimmed["[UNK]"]) for number in ids]


# %% vocabulary: does not map unknown pieces
# says: A piece that is gone raised an error
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed[pieces[number]] for number in ids]


# %% vocabulary: drops unknown pieces
# says: You dropped the pieces that are gone
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed[pieces[number]] for number in ids if pieces[number] in trimmed]


# %% vocabulary: makes unknown pieces padding
# says: You mapped the pieces that are gone to 0
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], 0) for number in ids]


# %% vocabulary: takes the old number of the unknown token
# says: You took the old number of [UNK]
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], vocabulary["[UNK]"]) for number in ids]


# %% vocabulary: keeps the numbers of unknown pieces
# says: You left the number of a piece that is gone as it was
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], number) for number in ids]


# %% vocabulary: returns the old numbers
# says: You returned the old numbers
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return list(ids)


# %% vocabulary: looks for the unknown token at one
# says: You took 1 for [UNK]
def trim(vocabulary, table, counts, least):
    pieces = {number: piece for piece, number in vocabulary.items()}
    kept = [
        number
        for piece, number in vocabulary.items()
        if piece in SPECIAL or counts.get(number, 0) >= least or len(piece.removeprefix("##")) == 1
    ]
    kept = sorted(kept)
    return {pieces[old]: new for new, old in enumerate(kept)}, table[kept]


def new_ids(ids, vocabulary, trimmed):
    pieces = {number: piece for piece, number in vocabulary.items()}
    return [trimmed.get(pieces[number], 1) for number in ids]


# %% factorize: counts until it comes out even
# says: does a loop in it never end
def largest_rank(tokens, width):
    rank = 1
    while rank * (tokens + width) != tokens * width:
        rank += 1
    return rank - 1


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: allows equal sizes
# says: You allowed as many numbers as the table has
def largest_rank(tokens, width):
    return tokens * width // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: forgets the second factor
# says: You forgot the second factor
def largest_rank(tokens, width):
    return (tokens * width - 1) // tokens


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: forgets the first factor
# says: You forgot the first factor
def largest_rank(tokens, width):
    return min(width, (tokens * width - 1) // width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: takes half of the width
# says: You took half of the width
def largest_rank(tokens, width):
    return (width - 1) // 2


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: rounds up
# says: You rounded up
def largest_rank(tokens, width):
    return -(-tokens * width // (tokens + width))


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: keeps one direction too many
# says: You kept one direction too many
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[: rank + 1]
    return table @ directions.T, directions.T


# %% factorize: keeps one direction too few
# says: You kept one direction too few
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[: rank - 1]
    return table @ directions.T, directions.T


# %% factorize: keeps the smallest
# says: You kept the directions with the smallest singular values
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[-rank:]
    return table @ directions.T, directions.T


# %% factorize: takes columns for rows
# says: You took columns of Vh
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:, :rank].T
    return table @ directions.T, directions.T


# %% factorize: leaves the singular values out
# says: You left the singular values out
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    root = weights.sqrt()[:, None].clamp(min=1e-9)
    u, _, vh = torch.linalg.svd(table * root, full_matrices=False)
    return u[:, :rank] / root, vh[:rank].T


# %% factorize: takes the singular values twice
# says: You multiplied both factors by the singular values
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T * torch.linalg.svdvals(rows)[:rank]


# %% factorize: takes the square roots on one side
# says: You multiplied one factor by the root of the singular values
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T / torch.linalg.svdvals(rows)[:rank].sqrt(), directions.T


# %% factorize: takes the first columns
# says: You kept the first columns of the table
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    return table[:, :rank], torch.eye(table.shape[1], dtype=table.dtype)[:, :rank]


# %% factorize: takes the first rows
# says: You took rows of the table for directions
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = table[:rank]
    return table @ directions.T, directions.T


# %% factorize: centers the table
# says: You subtracted the mean row first, as principal components d
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = (table - table.mean(0)) * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: returns the centered rows
# says: You described the rows by their distance from the mean
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = (table - table.mean(0)) * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return (table - table.mean(0)) @ directions.T, directions.T


# %% factorize: transposes the second factor
# says: An error was raised, most often because the second factor is
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions


# %% factorize: exchanges the factors
# says: You returned the factors in the other order
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    directions = torch.linalg.svd(table * weights.sqrt()[:, None], full_matrices=False).Vh[:rank]
    return directions.T, table @ directions.T


# %% factorize: forgets the weights
# says: You left the weights out
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: takes weights without the root
# says: You multiplied the rows by the weights themselves
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: divides by the weights
# says: You divided the rows by the root of their weights
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table / weights.clamp(min=1e-3).sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return table @ directions.T, directions.T


# %% factorize: returns the weighted rows
# says: You returned coordinates of the weighted rows
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return rows @ directions.T, directions.T


# %% factorize: loses unused rows
# says: You divided by the root of the weights
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return (rows @ directions.T) / weights.sqrt()[:, None], directions.T


# %% factorize: drops unused rows
# says: expected one row for each token
def largest_rank(tokens, width):
    return (tokens * width - 1) // (tokens + width)


def factorize(table, rank, weights):
    rows = table * weights.sqrt()[:, None]
    directions = torch.linalg.svd(rows, full_matrices=False).Vh[:rank]
    return (table @ directions.T)[weights > 0], directions.T
