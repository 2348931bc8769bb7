"""Peers of torch: each a function that makes the mean query loss of a meta-batch."""

import torch
import torch.nn.functional as F
from absent import without
from problem import INNER_LR, OUTER_LR, flat_gradient, torch_network


class TorchPeer:
    """A network, torch's Adam, and a way to the meta-gradient."""

    def __init__(self, problem):
        self.num_steps = problem.num_inner_steps
        self.net = torch_network(problem)
        self.batches = problem.cycled(torch.tensor)
        self.prepare()
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=OUTER_LR)

    def prepare(self):
        """Wrap the network, where a library wants that."""

    def backward(self, batch):
        """Leave the meta-gradient in the network's parameters."""
        total = sum(self.query_loss(*task) for task in zip(*batch, strict=True))
        (total / len(batch[0])).backward()

    def query_loss(self, xs, ys, xq, yq):
        raise NotImplementedError

    def step(self):
        self.optimizer.zero_grad()
        self.backward(next(self.batches))
        self.optimizer.step()

    def gradient(self):
        self.optimizer.zero_grad()
        self.backward(next(self.batches))
        return flat_gradient(self.net)


class PlainLoop(TorchPeer):
    """What one writes without a library: autograd, a loop over tasks."""

    def query_loss(self, xs, ys, xq, yq):
        params = list(self.net.parameters())
        for _ in range(self.num_steps):
            loss = F.mse_loss(self.forward(params, xs), ys)
            grads = torch.autograd.grad(loss, params, create_graph=True)
            params = [p - INNER_LR * g for p, g in zip(params, grads, strict=True)]
        return F.mse_loss(self.forward(params, xq), yq)

    def forward(self, params, x):
        x = F.relu(F.linear(x, params[0], params[1]))
        x = F.relu(F.linear(x, params[2], params[3]))
        return F.linear(x, params[4], params[5])


class TorchFunc(TorchPeer):
    """torch.func: vmap over tasks of a function that uses grad."""

    def backward(self, batch):
        from torch.func import functional_call, grad, vmap

        def loss(params, x, y):
            return F.mse_loss(functional_call(self.net, params, (x,)), y)

        def adapted_loss(params, xs, ys, xq, yq):
            for _ in range(self.num_steps):
                grads = grad(loss)(params, xs, ys)
                params = {n: p - INNER_LR * grads[n] for n, p in params.items()}
            return loss(params, xq, yq)

        params = dict(self.net.named_parameters())
        losses = vmap(adapted_loss, in_dims=(None, 0, 0, 0, 0))(params, *batch)
        losses.mean().backward()


class Learn2Learn(TorchPeer):
    """learn2learn: MAML.clone and adapt, as in its examples."""

    def prepare(self):
        # Only its data sets of pictures need torchvision, which is built for one torch.
        without("torchvision")
        import learn2learn

        self.maml = learn2learn.algorithms.MAML(self.net, lr=INNER_LR)

    def query_loss(self, xs, ys, xq, yq):
        learner = self.maml.clone()
        for _ in range(self.num_steps):
            learner.adapt(F.mse_loss(learner(xs), ys))
        return F.mse_loss(learner(xq), yq)


class Higher(TorchPeer):
    """higher: innerloop_ctx, and a backward pass for each task."""

    def prepare(self):
        self.inner = torch.optim.SGD(self.net.parameters(), lr=INNER_LR)

    def backward(self, batch):
        import higher

        for xs, ys, xq, yq in zip(*batch, strict=True):
            context = higher.innerloop_ctx(
                self.net, self.inner, copy_initial_weights=False
            )
            with context as (net, inner):
                for _ in range(self.num_steps):
                    inner.step(F.mse_loss(net(xs), ys))
                (F.mse_loss(net(xq), yq) / len(batch[0])).backward()


class TorchOpt(TorchPeer):
    """TorchOpt: MetaSGD, the network's state taken out and put back for each task."""

    def prepare(self):
        import torchopt

        self.library = torchopt
        self.inner = torchopt.MetaSGD(self.net, lr=INNER_LR)
        self.parameters = list(self.net.parameters())

    def backward(self, batch):
        library, losses = self.library, []
        state = library.extract_state_dict(
            self.net, by="reference", detach_buffers=True
        )
        inner = library.extract_state_dict(self.inner, by="reference")
        for xs, ys, xq, yq in zip(*batch, strict=True):
            for _ in range(self.num_steps):
                self.inner.step(F.mse_loss(self.net(xs), ys))
            losses.append(F.mse_loss(self.net(xq), yq))
            library.recover_state_dict(self.net, state)
            library.recover_state_dict(self.inner, inner)
        torch.stack(losses).mean().backward()
