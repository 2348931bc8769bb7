"""JAX: one jitted call a step, and many steps in one scan."""

import jax
import jax.numpy as jnp
import optax
from problem import INNER_LR, OUTER_LR

SCANNED = 50
"""Outer steps of one scan."""


def network(params, x):
    x = jax.nn.relu(x @ params[0] + params[1])
    x = jax.nn.relu(x @ params[2] + params[3])
    return x @ params[4] + params[5]


def squared_error(params, x, y):
    return jnp.mean((network(params, x) - y) ** 2)


class JaxJit:
    """jit of vmap and grad, one call a step."""

    steps_per_call = 1

    def __init__(self, problem):
        self.num_steps = problem.num_inner_steps
        self.params = [jnp.asarray(weight) for weight in problem.weights]
        self.batches = problem.cycled(jnp.asarray)
        self.data = tuple(jnp.asarray(part) for part in problem.batches)
        self.optimizer = optax.adam(OUTER_LR)
        self.state = self.optimizer.init(self.params)
        self.jitted = jax.jit(self.update)
        self.meta_gradient = jax.jit(jax.grad(self.meta_loss))

    def meta_loss(self, params, batch):
        def task(params, xs, ys, xq, yq):
            for _ in range(self.num_steps):
                grads = jax.grad(squared_error)(params, xs, ys)
                params = jax.tree.map(lambda p, g: p - INNER_LR * g, params, grads)
            return squared_error(params, xq, yq)

        return jnp.mean(jax.vmap(task, in_axes=(None, 0, 0, 0, 0))(params, *batch))

    def update(self, params, state, batch):
        grads = jax.grad(self.meta_loss)(params, batch)
        updates, state = self.optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    def step(self):
        batch = next(self.batches)
        self.params, self.state = self.jitted(self.params, self.state, batch)
        jax.block_until_ready(self.params)

    def gradient(self):
        grads = self.meta_gradient(self.params, next(self.batches))
        return [number for grad in grads for number in grad.ravel().tolist()]


class JaxScan(JaxJit):
    """lax.scan over outer steps, one call for many."""

    steps_per_call = SCANNED

    def __init__(self, problem):
        super().__init__(problem)
        self.scanned = jax.jit(self.scan, donate_argnums=(0, 1))

    def scan(self, params, state, data):
        def body(carry, index):
            batch = tuple(part[index % len(part)] for part in data)
            return self.update(*carry, batch), None

        return jax.lax.scan(body, (params, state), jnp.arange(SCANNED))[0]

    def step(self):
        self.params, self.state = self.scanned(self.params, self.state, self.data)
        jax.block_until_ready(self.params)
