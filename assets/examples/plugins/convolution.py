"""A convolution over where an input lies."""

from typing import Annotated, Literal

import torch
from torch import nn

from metalab.core.spec import Option


class BumpConvolution(nn.Module):
    """Bumps along the axis, a convolution over them, LayerNorm, and a linear output."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        channels: Annotated[int, Option(low=1, high=32)] = 4,
        activation: Literal["tanh", "softplus"] = "tanh",
        normalised: bool = True,
    ):
        super().__init__()
        self.register_buffer("centres", torch.linspace(-5.0, 5.0, 12))
        self.convolution = nn.Conv1d(input_dim, channels, kernel_size=3, padding=1)
        self.norm = nn.LayerNorm(12) if normalised else nn.Identity()
        self.activation = nn.Tanh() if activation == "tanh" else nn.Softplus()
        self.out = nn.Linear(12 * channels, output_dim)

    def forward(self, x):
        bumps = torch.exp(-((x[:, :, None] - self.centres) ** 2))
        return self.out(self.activation(self.norm(self.convolution(bumps))).flatten(1))
