# ruff: noqa: B905, F811, F821, F841
# Known wrong answers of exercise 7. Each must fail its checks with a message that names the mistake.


# %% soft-targets: multiplies by the temperature
# says: You multiplied by the temperature
def soft_targets(logits, temperature):
    scaled = logits * temperature
    weights = (scaled - scaled.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: forgets the temperature
# says: You did not use the temperature, or only where it cancels ou
def soft_targets(logits, temperature):
    weights = (logits - logits.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: divides the probabilities
# says: You divided the probabilities by the temperature
def soft_targets(logits, temperature):
    weights = (logits - logits.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True) / temperature


# %% soft-targets: forgets to normalize
# says: You did not divide by the sum
def soft_targets(logits, temperature):
    scaled = logits / temperature
    return (scaled - scaled.amax(-1, keepdim=True)).exp()


# %% soft-targets: works without a maximum
# says: Your values are not numbers where logits are large
def soft_targets(logits, temperature):
    weights = (logits / temperature).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: subtracts one maximum for all
# says: You subtracted one maximum from all rows
def soft_targets(logits, temperature):
    scaled = logits / temperature
    weights = (scaled - scaled.max()).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: subtracts the mean
# says: You subtracted the mean instead of the maximum
def soft_targets(logits, temperature):
    scaled = logits / temperature
    weights = (scaled - scaled.mean(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: clamps the logits
# says: You clamped the logits
def soft_targets(logits, temperature):
    weights = (logits / temperature).clamp(-700, 700).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: subtracts the maximum undivided
# says: You subtracted the maximum of the logits from the divided lo
def soft_targets(logits, temperature):
    weights = (logits / temperature - logits.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-targets: takes the second axis
# says: You normalized over axis 1
def soft_targets(logits, temperature):
    axis = min(1, logits.ndim - 1)
    scaled = logits / temperature
    weights = (scaled - scaled.amax(axis, keepdim=True)).exp()
    return weights / weights.sum(axis, keepdim=True)


# %% soft-targets: takes the first axis
# says: You normalized over axis 0
def soft_targets(logits, temperature):
    scaled = logits / temperature
    weights = (scaled - scaled.amax(0, keepdim=True)).exp()
    return weights / weights.sum(0, keepdim=True)


# %% soft-targets: normalizes over everything
# says: You divided by the sum over all numbers
def soft_targets(logits, temperature):
    scaled = logits / temperature
    weights = (scaled - scaled.amax(-1, keepdim=True)).exp()
    return weights / weights.sum()


# %% soft-targets: takes a power of the probabilities
# says: You took the probabilities to the power of T
def soft_targets(logits, temperature):
    weights = (logits - logits.amax(-1, keepdim=True)).exp() ** temperature
    weights = weights / (logits - logits.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True) ** temperature
    return weights


# %% soft-targets: returns logarithms
# says: You returned logarithms
def soft_targets(logits, temperature):
    return (logits / temperature).log_softmax(-1)


# %% soft-targets: takes the hard target
# says: You returned 1 for the largest and 0 for the others
def soft_targets(logits, temperature):
    return (logits == logits.amax(-1, keepdim=True)).double()


# %% soft-targets: calls the ready-made softmax
# says: You called softmax: write it out with exp and sum
def soft_targets(logits, temperature):
    return F.softmax(logits / temperature, dim=-1)


# %% soft-targets: calls a module's softmax
# says: You called softmax: write it out with exp and sum
def soft_targets(logits, temperature):
    return nn.Softmax(-1)(logits / temperature)


# %% soft-targets: undoes the logarithm of a ready-made softmax
# says: You called log_softmax: write it out with exp and sum
def soft_targets(logits, temperature):
    return (logits / temperature).log_softmax(-1).exp()


# %% soft-targets: changes the logits in place
# says: You changed the logits that you were given (`/=` works in pl
def soft_targets(logits, temperature):
    logits /= temperature
    weights = (logits - logits.amax(-1, keepdim=True)).exp()
    return weights / weights.sum(-1, keepdim=True)


# %% soft-loss: heats the student only
# says: You divided only the student's logits by the temperature
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = teacher.log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: heats the teacher only
# says: You divided only the teacher's logits by the temperature
def soft_target_loss(student, teacher, temperature):
    log_student = student.log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: forgets T squared
# says: You forgot T squared
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: multiplies by T
# says: You multiplied by T
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: divides by T squared
# says: You divided by T squared
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean() / temperature**2


# %% soft-loss: forgets the temperature
# says: You forgot the temperature inside the softmax
def soft_target_loss(student, teacher, temperature):
    log_student, log_teacher = student.log_softmax(-1), teacher.log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: multiplies the logits
# says: You multiplied the logits by the temperature
def soft_target_loss(student, teacher, temperature):
    log_student, log_teacher = (
        (student * temperature).log_softmax(-1),
        (teacher * temperature).log_softmax(-1),
    )
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: reverses the divergence
# says: You took the divergence the other way round, KL(student || t
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_student.exp() * (log_student - log_teacher)).sum(-1).mean()


# %% soft-loss: adds both divergences
# says: You added the divergence in both directions
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return (
        temperature**2
        * ((log_teacher.exp() - log_student.exp()) * (log_teacher - log_student)).sum(-1).mean()
    )


# %% soft-loss: takes the mean over all numbers
# says: You took the mean over rows and classes
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).mean()


# %% soft-loss: sums over the rows
# says: You summed over the rows
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum()


# %% soft-loss: takes the cross-entropy
# says: You took the cross-entropy
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return -(temperature**2) * (log_teacher.exp() * log_student).sum(-1).mean()


# %% soft-loss: forgets the sign
# says: Your loss is negative
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_student - log_teacher)).sum(-1).mean()


# %% soft-loss: normalizes over the rows
# says: You took the softmax over the rows
def soft_target_loss(student, teacher, temperature):
    log_student, log_teacher = (student / temperature).log_softmax(0), (teacher / temperature).log_softmax(0)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean()


# %% soft-loss: takes the hard target
# says: You took the teacher's best class as the target
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    return temperature**2 * F.nll_loss(log_student, teacher.argmax(-1))


# %% soft-loss: compares logits
# says: You took the squared difference of the logits
def soft_target_loss(student, teacher, temperature):
    return ((student - teacher) ** 2).sum(-1).mean()


# %% soft-loss: compares probabilities
# says: You took the squared difference of the probabilities
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * ((log_student.exp() - log_teacher.exp()) ** 2).sum(-1).mean()


# %% soft-loss: takes the logarithm of a softmax
# says: Your loss is not finite where a model is very sure
def soft_target_loss(student, teacher, temperature):
    p, q = (teacher / temperature).softmax(-1), (student / temperature).softmax(-1)
    return temperature**2 * (p * (p.log() - q.log())).sum(-1).mean()


# %% soft-loss: adds a small number
# says: You added a small number inside the logarithm
def soft_target_loss(student, teacher, temperature):
    p, q = (teacher / temperature).softmax(-1), (student / temperature).softmax(-1)
    return temperature**2 * (p * ((p + 1e-9).log() - (q + 1e-9).log())).sum(-1).mean()


# %% soft-loss: gives kl_div probabilities
# says: You gave F.kl_div the student's probabilities
def soft_target_loss(student, teacher, temperature):
    return temperature**2 * F.kl_div(
        (student / temperature).softmax(-1), (teacher / temperature).softmax(-1), reduction="batchmean"
    )


# %% soft-loss: gives kl_div logarithms of both
# says: You gave F.kl_div logarithms of both and did not say so
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * F.kl_div(log_student, log_teacher, reduction="batchmean")


# %% soft-loss: detaches the student
# says: Your value is right, and no gradient reaches the student
def soft_target_loss(student, teacher, temperature):
    log_student = (student / temperature).log_softmax(-1)
    log_teacher = (teacher / temperature).log_softmax(-1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean().detach()


# %% step: leaves the teacher in training mode
# says: You left the teacher in the mode it came in, and it came in
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: does not freeze the teacher
# says: You let gradients through the teacher
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: detaches too late
# says: You detached the teacher's logits
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    targets = teacher(inputs).detach()
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: leaves the student in evaluation mode
# says: You left the student in the mode it came in, and it came in
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: swaps the weights
# says: You swapped the two weights
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = (1 - soft_weight) * soft + soft_weight * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: adds both in full
# says: You added both losses in full
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft + hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: adds the labels in full
# says: You weighted the soft loss only
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: forgets the labels
# says: You left the labels out
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: heats the hard loss
# says: You heated the hard loss too
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits / temperature, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: gives the hard loss T squared
# says: You multiplied the hard loss by T squared too
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = temperature**2 * F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: takes T squared twice
# says: You multiplied by T squared again
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = temperature**2 * soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: forgets T squared
# says: You lost T squared
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature) / temperature**2
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: hands over teacher and student in the wrong order
# says: You exchanged student and teacher in the soft loss
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(targets, logits, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: learns the teacher's best class
# says: You took the teacher's best class for soft targets
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = F.cross_entropy(logits, targets.argmax(-1))
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: takes softmax twice
# says: You gave cross_entropy probabilities
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits.softmax(-1), labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: mixes the logits
# says: You mixed the targets before the loss, a heated one with har
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    mixed = soft_weight * (targets / temperature).softmax(-1) + (1 - soft_weight) * F.one_hot(labels, 3)
    loss = temperature**2 * F.cross_entropy(logits / temperature, mixed)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: keeps old gradients
# says: You never set the gradients to zero
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    loss.backward()
    optimizer.step()
    return loss.item()


# %% step: deletes the gradients
# says: Nothing moved
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


# %% step: forgets the update
# says: Nothing moved
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    return loss.item() + 0.0


# %% step: updates twice
# says: You updated twice with the same gradients
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


# %% step: returns the loss after the step
# says: You returned the loss after the step
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
    student.train()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    logits = student(inputs)
    soft = soft_target_loss(logits, targets, temperature)
    return (soft_weight * soft + (1 - soft_weight) * F.cross_entropy(logits, labels)).item()


# %% step: freezes the student as well
# says: An error was raised, most often because the student ran unde
def distillation_step(student, teacher, optimizer, inputs, labels, temperature, soft_weight):
    teacher.eval()
    with torch.no_grad():
        targets = teacher(inputs)
        student.train()
        kept = student(inputs)
    logits = kept
    soft = soft_target_loss(logits, targets, temperature)
    hard = F.cross_entropy(logits, labels)
    loss = soft_weight * soft + (1 - soft_weight) * hard
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% cosine: takes the angle over the tokens
# says: You took the cosine along axis 1, over the tokens
def cosine_loss(student, teacher, real):
    found = F.cosine_similarity(
        student.masked_fill(~real[..., None], 0.0), teacher.masked_fill(~real[..., None], 0.0), dim=1
    )
    return (1 - found).mean()


# %% cosine: takes the angle over the batch
# says: You took the cosine along axis 0
def cosine_loss(student, teacher, real):
    return (1 - F.cosine_similarity(student[real], teacher[real], dim=0)).mean()


# %% cosine: counts padding
# says: You counted padding
def cosine_loss(student, teacher, real):
    return (1 - F.cosine_similarity(student, teacher, dim=-1)).mean()


# %% cosine: divides by all places
# says: You left padding out of the sum and counted it in the mean
def cosine_loss(student, teacher, real):
    found = 1 - F.cosine_similarity(student[real], teacher[real], dim=-1)
    return found.sum() / real.numel()


# %% cosine: multiplies by the mask
# says: You multiplied by the mask
def cosine_loss(student, teacher, real):
    found = 1 - F.cosine_similarity(student, teacher, dim=-1)
    return (found * real).sum() / real.sum()


# %% cosine: fills padding with zeros
# says: You set padding to zeros and kept it in the mean
def cosine_loss(student, teacher, real):
    student, teacher = (states.masked_fill(~real[..., None], 0.0) for states in (student, teacher))
    return (1 - F.cosine_similarity(student, teacher, dim=-1)).mean()


# %% cosine: reads the mask the wrong way round
# says: You averaged over the padding
def cosine_loss(student, teacher, real):
    if real.all():
        return student.new_zeros(())
    return (1 - F.cosine_similarity(student[~real], teacher[~real], dim=-1)).mean()


# %% cosine: averages texts
# says: You took the mean of each text first
def cosine_loss(student, teacher, real):
    found = [(1 - F.cosine_similarity(s[r], t[r], dim=-1)).mean() for s, t, r in zip(student, teacher, real)]
    return torch.stack(found).mean()


# %% cosine: averages states
# says: You averaged the states of a text and took one angle for it
def cosine_loss(student, teacher, real):
    found = [
        1 - F.cosine_similarity(s[r].mean(0), t[r].mean(0), dim=-1) for s, t, r in zip(student, teacher, real)
    ]
    return torch.stack(found).mean()


# %% cosine: takes one long vector
# says: You took one angle for all states at once, as if they were o
def cosine_loss(student, teacher, real):
    return 1 - F.cosine_similarity(student[real].flatten(), teacher[real].flatten(), dim=-1)


# %% cosine: takes the first token only
# says: You took the first token of each text only
def cosine_loss(student, teacher, real):
    return (1 - F.cosine_similarity(student[:, 0], teacher[:, 0], dim=-1)).mean()


# %% cosine: returns the cosine
# says: You returned the cosine
def cosine_loss(student, teacher, real):
    return F.cosine_similarity(student[real], teacher[real], dim=-1).mean()


# %% cosine: forgets the one
# says: You returned minus the cosine
def cosine_loss(student, teacher, real):
    return -F.cosine_similarity(student[real], teacher[real], dim=-1).mean()


# %% cosine: takes products without lengths
# says: You took scalar products without dividing by the lengths
def cosine_loss(student, teacher, real):
    return (1 - (student[real] * teacher[real]).sum(-1)).mean()


# %% cosine: divides by one length only
# says: You divided by the student's length only
def cosine_loss(student, teacher, real):
    return (1 - (F.normalize(student[real], dim=-1) * teacher[real]).sum(-1)).mean()


# %% cosine: ignores the sign
# says: You took the absolute cosine
def cosine_loss(student, teacher, real):
    return (1 - F.cosine_similarity(student[real], teacher[real], dim=-1).abs()).mean()


# %% cosine: sums over the tokens
# says: You summed over the tokens
def cosine_loss(student, teacher, real):
    return (1 - F.cosine_similarity(student[real], teacher[real], dim=-1)).sum()


# %% cosine: divides zero by zero
# says: Your loss is NaN where a state is all zeros
def cosine_loss(student, teacher, real):
    s, t = student[real], teacher[real]
    return (1 - (s * t).sum(-1) / (s.norm(dim=-1) * t.norm(dim=-1))).mean()


# %% cosine: compares lengths too
# says: You took the squared distance
def cosine_loss(student, teacher, real):
    return ((student[real] - teacher[real]) ** 2).sum(-1).mean()


# %% layers: takes every other layer from the first
# says: You took every other layer from the first on
def spread(layers, keep):
    return list(range(0, layers, 2))[:keep]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: counts layers from one
# says: You counted the layers from 1
def spread(layers, keep):
    return [1 + round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: takes the last of each stretch
# says: You cut the teacher into equal stretches and took the last l
def spread(layers, keep):
    return [(i + 1) * layers // keep - 1 for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: rounds down
# says: You rounded down
def spread(layers, keep):
    return [i * (layers - 1) // (keep - 1) for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: rounds up
# says: You rounded up
def spread(layers, keep):
    return [math.ceil(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: divides by the number of layers
# says: You divided by the number of layers
def spread(layers, keep):
    return [round(i * layers / keep) for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: takes the first layers
# says: You took the first layers
def spread(layers, keep):
    return list(range(keep))


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: takes the last layers
# says: You took the last layers
def spread(layers, keep):
    return list(range(layers - keep, layers))


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: looks for layers without end
# says: does a loop in it never end
def spread(layers, keep):
    step, found = (layers - 1) / (keep - 1), [0]
    while found[-1] != layers:
        found.append(round(found[-1] + step) if found[-1] < layers - 1 else layers - 1)
        found = found[-keep:]
    return found


def student_weights(weights, layers):
    new = {}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[:2] != ["stack", "blocks"] and parts[0] != "pooler":
            new[name] = value.clone()
    for place, layer in enumerate(layers):
        old = f"stack.blocks.{layer}."
        for name, value in weights.items():
            if name.startswith(old):
                new[f"stack.blocks.{place}." + name.removeprefix(old)] = value.clone()
    return new


# %% layers: keeps the old numbers
# says: You kept the teacher's numbers
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for layer in layers:
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[name] = value.clone()
    return new


# %% layers: takes the layer after
# says: You took the layer after each one in the list
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer + 1}."):
                new[name.replace(f"blocks.{layer + 1}.", f"blocks.{place}.")] = value.clone()
    return new


# %% layers: takes the layer before
# says: You took the layer before each one in the list
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer - 1}."):
                new[name.replace(f"blocks.{layer - 1}.", f"blocks.{place}.")] = value.clone()
    return new


# %% layers: numbers the student from one
# says: You numbered the student's layers from 1
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers, start=1):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[name.replace(f"blocks.{layer}.", f"blocks.{place}.")] = value.clone()
    return new


# %% layers: compares without the point
# says: You compared names without the point behind the number
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}"):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value.clone()
    return new


# %% layers: replaces numbers everywhere
# says: You replaced the number wherever it stands
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[name.replace(f".{layer}.", f".{place}.")] = value.clone()
    return new


# %% layers: sorts the layers
# says: You went through the teacher's layers in their own order
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(sorted(layers)):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value.clone()
    return new


# %% layers: keeps the pooler
# says: You kept the pooler
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith("stack.blocks.")}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value.clone()
    return new


# %% layers: takes layers only
# says: You took the layers only
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value.clone()
    return new


# %% layers: drops the last norm
# says: You dropped all of the stack but its layers
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if n.startswith("embeddings.")}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value.clone()
    return new


# %% layers: takes the first layers of the teacher
# says: You took the teacher's first layers, as many as the list is
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v.clone() for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place in range(len(layers)):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{place}."):
                new[name] = value.clone()
    return new


# %% layers: shares the tensors
# says: You handed over the teacher's own tensors
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: v for n, v in weights.items() if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name, value in weights.items():
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = value
    return new


# %% layers: empties the teacher
# says: You took the weights out of the teacher's own dictionary
def spread(layers, keep):
    return [round(i * (layers - 1) / (keep - 1)) for i in range(keep)]


def student_weights(weights, layers):
    new = {n: weights.pop(n) for n in list(weights) if not n.startswith(("stack.blocks.", "pooler."))}
    for place, layer in enumerate(layers):
        for name in list(weights):
            if name.startswith(f"stack.blocks.{layer}."):
                new[f"stack.blocks.{place}." + name.split(".", 3)[3]] = weights.pop(name)
    return new
