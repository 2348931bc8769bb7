"""A network of two layers that adapts, by hand in numpy: shares nothing with metalab.

y = tanh(x W1 + b1) W2 + b2 with one input and one output; gradient descent on the mean
squared error. Parameters lie flat as in a run file: W1 [1, h], b1 [h], W2 [h, 1], b2 [1].
"""

import numpy as np


def split(flat: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return W1, b1, W2 and b2."""
    width = (len(flat) - 1) // 3
    first, second, third = np.split(flat[:-1], [width, 2 * width])
    return first, second, third, flat[-1]


def predict(flat: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the outputs at some inputs, [point]."""
    weight, bias, out, shift = split(flat)
    return np.tanh(np.outer(x, weight) + bias) @ out + shift


def loss(flat: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Return the mean squared error."""
    return float(np.mean((predict(flat, x) - y) ** 2))


def gradient(flat: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return its gradient, by the chain rule."""
    weight, bias, out, _ = split(flat)
    hidden = np.tanh(np.outer(x, weight) + bias)
    error = 2 * (predict(flat, x) - y) / len(x)
    back = np.outer(error, out) * (1 - hidden**2)
    return np.concatenate([x @ back, back.sum(0), error @ hidden, [error.sum()]])


def path(
    flat: np.ndarray, x: np.ndarray, y: np.ndarray, *, lr: float, num_steps: int
) -> list[np.ndarray]:
    """Return theta_0 ... theta_K."""
    found = [np.asarray(flat, dtype=np.float64)]
    for _ in range(num_steps):
        found.append(found[-1] - lr * gradient(found[-1], x, y))
    return found
