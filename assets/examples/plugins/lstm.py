"""A recurrent network that reads each input several times."""

from typing import Annotated

from torch import nn

from metalab.core.spec import Option


class ReadingLSTM(nn.Module):
    """An LSTM over copies of the input, and a linear output of its last state."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        width: Annotated[int, Option(unit="units", low=1, high=64)] = 8,
        length: Annotated[int, Option(help="Copies of the input.", low=1, high=16)] = 3,
    ):
        super().__init__()
        self.length = length
        self.lstm = nn.LSTM(input_dim, width, batch_first=True)
        self.out = nn.Linear(width, output_dim)

    def forward(self, x):  # [shot, input] to [shot, output]
        states, _ = self.lstm(x[:, None].expand(-1, self.length, -1))
        return self.out(states[:, -1])
