"""RNN, LSTM and GRU layers behind one batch-first contract; torch's layers-first states stay in this file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from s2s_lit.types import RecurrentState


class Recurrence(nn.Module, ABC):
    """A stack of recurrent layers.

    Attributes:
        output_size: D, size of one output; twice the hidden size if bidirectional.
        state_size: H of the states, directions concatenated.
        num_layers: L.
        has_cell: whether states carry a cell (LSTM).
    """

    output_size: int
    state_size: int
    num_layers: int
    has_cell: bool = False

    @abstractmethod
    def forward(
        self,
        inputs: Float[Tensor, "B T E"],
        state: RecurrentState | None = None,
        lengths: Int[Tensor, "B"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        """Run over time.

        Without `lengths` every position is taken as real, and the final state is the one after position T. With
        `lengths`, outputs past the end are zero and the final state is the one at each sequence's own end.
        """


class TorchRecurrence(Recurrence):
    """What RNN, LSTM and GRU share: torch's own layers (fused kernels on CPU and GPU)."""

    def __init__(self, layers: nn.RNN | nn.LSTM | nn.GRU) -> None:
        super().__init__()
        directions = 2 if layers.bidirectional else 1
        self.layers = layers
        self.num_layers = layers.num_layers
        self.output_size = self.state_size = layers.hidden_size * directions
        self.has_cell = isinstance(layers, nn.LSTM)

    def forward(
        self,
        inputs: Float[Tensor, "B T E"],
        state: RecurrentState | None = None,
        lengths: Int[Tensor, "B"] | None = None,
    ) -> tuple[Float[Tensor, "B T D"], RecurrentState]:
        initial = None if state is None else self._to_torch(state)
        if lengths is None:
            outputs, final = self.layers(inputs, initial)
        else:  # packing makes the backward direction start at each sequence's last real position
            packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_outputs, final = self.layers(packed, initial)
            outputs, _ = pad_packed_sequence(packed_outputs, batch_first=True, total_length=inputs.shape[1])
        return outputs, self._from_torch(final)

    def _to_torch(self, state: RecurrentState) -> Tensor | tuple[Tensor, Tensor]:
        hidden = self._layers_first(state.hidden)
        return hidden if state.cell is None else (hidden, self._layers_first(state.cell))

    def _from_torch(self, final: Tensor | tuple[Tensor, Tensor]) -> RecurrentState:
        if isinstance(final, tuple):
            return RecurrentState(self._batch_first(final[0]), self._batch_first(final[1]))
        return RecurrentState(self._batch_first(final))

    def _layers_first(self, tensor: Tensor) -> Tensor:
        """[B, L, directions * H] -> [L * directions, B, H], torch's order."""
        batch = tensor.shape[0]
        return tensor.view(batch, -1, self.layers.hidden_size).transpose(0, 1).contiguous()

    def _batch_first(self, tensor: Tensor) -> Tensor:
        """The inverse of `_layers_first`."""
        batch = tensor.shape[1]
        return tensor.transpose(0, 1).reshape(batch, self.num_layers, self.state_size)


class RNN(TorchRecurrence):
    """Elman recurrence: h_t = f(W x_t + U h_{t-1} + b), f = tanh (Elman 1990).

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways and concatenate.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
    """

    def __init__(
        self, input_size: int, bidirectional: bool, *, hidden_size: int = 256, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(nn.RNN(**_arguments(input_size, bidirectional, hidden_size, num_layers, dropout)))


class LSTM(TorchRecurrence):
    """Long short-term memory with input, forget and output gates (Hochreiter & Schmidhuber 1997; Gers 2000).

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways and concatenate.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
    """

    def __init__(
        self, input_size: int, bidirectional: bool, *, hidden_size: int = 256, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(nn.LSTM(**_arguments(input_size, bidirectional, hidden_size, num_layers, dropout)))


class GRU(TorchRecurrence):
    """Gated recurrent unit (Cho 2014, section 2.3, in cuDNN's form: the reset gate acts after the product).

    Args:
        input_size: E, size of one input.
        bidirectional: read the sequence both ways and concatenate.
        hidden_size: H, units of one layer and direction.
        num_layers: L, layers on top of each other.
        dropout: probability of dropping an activation between layers (no effect with one layer).
    """

    def __init__(
        self, input_size: int, bidirectional: bool, *, hidden_size: int = 256, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(nn.GRU(**_arguments(input_size, bidirectional, hidden_size, num_layers, dropout)))


def _arguments(
    input_size: int, bidirectional: bool, hidden_size: int, num_layers: int, dropout: float
) -> dict[str, int | float | bool]:
    """torch warns about dropout without a second layer to drop before; here it is simply without effect."""
    return {
        "input_size": input_size,
        "hidden_size": hidden_size,
        "num_layers": num_layers,
        "dropout": dropout if num_layers > 1 else 0.0,
        "bidirectional": bidirectional,
        "batch_first": True,
    }


RecurrenceFactory = Callable[[int, bool], Recurrence]
"""Makes a recurrence from (input_size, bidirectional): what a configuration file states, less what is known late."""
