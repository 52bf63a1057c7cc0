"""The loop itself: one optimizer step a turn, the same numbers on one process or several."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import convert_to_fp32
from torch import Tensor, nn
from tqdm import tqdm

from course_utils.training import checkpoint
from course_utils.training.batches import Batch, TrainingData, generator_for, micro_batch, step_examples
from course_utils.training.config import TrainingConfig, learning_rate_at

History = list[dict[str, float]]


class LossTerms(NamedTuple):
    """A loss as a sum and the number of terms in it, so that a mean over processes is the true mean.

    A mean of means weights a token by how few others share its batch; a sum over a count does not.
    """

    total: Tensor  # scalar, summed over the terms (tokens, sentences)
    terms: Tensor | int  # how many


LossFunction = Callable[[nn.Module, Batch], LossTerms]
Evaluation = Callable[[nn.Module], dict[str, float]]


def train(
    model: nn.Module,
    loss: LossFunction,
    data: TrainingData,
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    evaluate: Evaluation | None = None,
    progress: bool = False,
) -> History:
    """Train `model` in place; returns a line of metrics every `config.log_every` steps and at the last one.

    loss(model, batch) gives the sum of the loss and its number of terms. folder: where checkpoint.pt and
    metrics.jsonl live; a run found there goes on where it stopped, bit for bit. evaluate: called at each
    line of metrics, its figures are added to the line. Each line holds step (steps done), loss (mean over
    the terms since the last line), learning_rate, grad_norm (before clipping).

    Raises CheckpointError when the folder holds another run or a damaged file, and FloatingPointError when
    the loss is no longer finite.
    """
    accelerator = Accelerator()
    optimizer, progress_so_far = _resume(model, config, folder, accelerator)
    wrapped, optimizer = accelerator.prepare(torch.compile(model) if config.compile else model, optimizer)
    first, window, history = progress_so_far
    bar = tqdm(total=config.steps, initial=first, disable=not progress or not accelerator.is_main_process)
    wrapped.train()
    with _speaks_single_precision(wrapped):
        for step in range(first, config.steps):
            terms, norm = _step(wrapped, loss, data, config, accelerator, optimizer, step)
            window = [window[0] + terms[0], window[1] + terms[1]]
            done = step + 1
            if done % config.log_every == 0 or done == config.steps:
                mean = window[0] / max(window[1], 1)
                line = {
                    "step": done,
                    "loss": mean,
                    "learning_rate": learning_rate_at(step, config),
                    "grad_norm": norm,
                }
                history.append(line | _evaluate(evaluate, wrapped, accelerator))
                window = [0.0, 0.0]
                bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
            bar.update()
            due = config.checkpoint_every and done % config.checkpoint_every == 0
            if folder and accelerator.is_main_process and (due or done == config.steps):
                _save(folder, config, accelerator.unwrap_model(wrapped), optimizer, done, window, history)
    bar.close()
    return history


@contextmanager
def _speaks_single_precision(model: nn.Module) -> Iterator[None]:
    """What the model says comes in single precision, whatever it computed in: the loss is taken of that.

    Accelerate's own mixed precision stays on the model after the run, and allows one precision a process.
    """
    hook = model.register_forward_hook(lambda module, inputs, output: convert_to_fp32(output))
    try:
        yield
    finally:
        hook.remove()


def _resume(
    model: nn.Module, config: TrainingConfig, folder: Path | None, accelerator: Accelerator
) -> tuple[torch.optim.AdamW, tuple[int, list[float], History]]:
    """The optimizer, and (steps done, loss since the last line, lines): as in the checkpoint, or new."""
    state = checkpoint.load(folder, config.fingerprint()) if folder else None
    if state:
        model.load_state_dict(state["model"])
    optimizer = _optimizer(model, config, fused=accelerator.device.type in ("cpu", "cuda"))
    if not state:
        return optimizer, (0, [0.0, 0.0], [])
    optimizer.load_state_dict(state["optimizer"])
    return optimizer, (state["step"], state["window"], state["history"])


def _step(
    model: nn.Module,
    loss: LossFunction,
    data: TrainingData,
    config: TrainingConfig,
    accelerator: Accelerator,
    optimizer: Any,
    step: int,
) -> tuple[tuple[float, float], float]:
    """One optimizer step; returns ((sum of the loss, terms), gradient norm before clipping)."""
    rank, world = accelerator.process_index, accelerator.num_processes
    indices = step_examples(data, step, config.batch_size, config.seed)
    parts = [
        micro_batch(
            data, indices, rank * config.accumulation + i, world * config.accumulation, config.seed, step
        )
        for i in range(config.accumulation)
    ]
    # Dropout draws from the global generator: seeded by step and process, a resumed run draws the same.
    torch.manual_seed(generator_for(config.seed, step, rank, 1).initial_seed() % 2**63)
    sums = torch.zeros(2, dtype=torch.float64, device=accelerator.device)
    for i, (batch, weight) in enumerate(parts):
        last = i == len(parts) - 1
        with nullcontext() if last else accelerator.no_sync(model):  # gradients are exchanged once a step
            sums += _backward(model, loss, batch, weight, config.precision, accelerator)
    total, count = (float(x) for x in accelerator.reduce(sums, reduction="sum"))
    if not torch.isfinite(torch.tensor(total)):
        raise FloatingPointError(f"the loss of step {step} is {total}; try a smaller learning rate")
    _scale_gradients(
        model, world / max(count, 1)
    )  # the processes' gradients were averaged, we want their sum
    norm = float(accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm))
    for group in optimizer.param_groups:
        group["lr"] = learning_rate_at(step, config)
    optimizer.step()
    optimizer.zero_grad()
    return (total, count), norm


def _backward(
    model: nn.Module,
    loss: LossFunction,
    batch: Batch,
    weight: int,
    precision: str,
    accelerator: Accelerator,
) -> Tensor:
    """Add the gradients of one micro-batch's summed loss; returns (sum, count), float64, on the device."""
    device = accelerator.device
    moved = {k: v.to(device, non_blocking=True) for k, v in batch.items()}
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        total, count = loss(model, moved)
    accelerator.backward(total * weight)
    counted = torch.as_tensor(count, dtype=torch.float64, device=accelerator.device)
    return torch.stack([total.detach().double(), counted]) * weight


def _scale_gradients(model: nn.Module, factor: float) -> None:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    torch._foreach_mul_(gradients, factor)


def _optimizer(model: nn.Module, config: TrainingConfig, *, fused: bool) -> torch.optim.AdamW:
    """AdamW that decays matrices only (biases and the gains of norms are vectors)."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=config.betas, eps=config.epsilon, fused=fused
    )


def _evaluate(evaluate: Evaluation | None, model: nn.Module, accelerator: Accelerator) -> dict[str, float]:
    """The figures of `evaluate` on the model in evaluation mode; the model is left in training mode."""
    if evaluate is None:
        return {}
    model.eval()
    with torch.no_grad():
        figures = evaluate(accelerator.unwrap_model(model))
    model.train()
    return figures


def _save(
    folder: Path,
    config: TrainingConfig,
    model: nn.Module,
    optimizer: Any,
    step: int,
    window: list[float],
    history: History,
) -> None:
    """Checkpoint, and the metrics so far as one JSON object a line."""
    checkpoint.save(
        folder,
        {
            "fingerprint": config.fingerprint(),
            "model": getattr(model, "_orig_mod", model).state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "window": window,
            "history": history,
        },
    )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in history))
