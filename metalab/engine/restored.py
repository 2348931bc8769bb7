"""A training state made of plain arrays again."""

import torch

from metalab.core.learner import MetaState
from metalab.engine.events import Checkpoint


def restored(fresh: MetaState, checkpoint: Checkpoint) -> MetaState:
    """Return a training state with the numbers of a checkpoint.

    Args:
        fresh: A state of the same experiment: its shapes, precision and device.
        checkpoint: The numbers.

    Raises:
        ValueError: The checkpoint is not of such an experiment.
    """
    arrays = (checkpoint.phi, *checkpoint.slots)
    tensors = (fresh.phi, *fresh.slots)
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if [array.shape for array in arrays] != shapes:
        raise ValueError(
            f"the checkpoint holds arrays of shapes {[a.shape for a in arrays]}; "
            f"the experiment needs {shapes}"
        )
    phi, *slots = (
        torch.tensor(array, dtype=fresh.phi.dtype, device=fresh.phi.device)
        for array in arrays
    )
    return MetaState(step=checkpoint.step, phi=phi, slots=tuple(slots))
