"""Attention between the numbers that an input is written in."""

from typing import Annotated

import torch
from torch import nn

from metalab.core.spec import Option


class SmallTransformer(nn.Module):
    """Multiples of the input as tokens, one block of attention, a linear output."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        heads: Annotated[int, Option(low=1, high=4)] = 2,
        head_width: Annotated[int, Option(unit="units", low=1, high=16)] = 4,
    ):
        super().__init__()
        width = heads * head_width
        self.register_buffer("multiples", torch.tensor([0.25, 0.5, 1.0, 2.0]))
        self.token = nn.Linear(input_dim, width)
        self.block = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True
        )
        self.out = nn.Linear(width, output_dim)

    def forward(self, x):
        tokens = self.token(torch.sin(x[:, None] * self.multiples[:, None]))
        return self.out(self.block(tokens).mean(dim=1))
