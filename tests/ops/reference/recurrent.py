"""What the rows of table/recurrent.cc are in PyTorch: its layers, run with the weights of the case."""
from common import *

# Numbers at which the gates do not saturate: 1 - tanh² has no digits left there in float32.
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def layer(kind, has_bias, reverse=False, **options):
    """A function of x, h0 (, c0), weight_ih, weight_hh (, bias_ih, bias_hh)."""
    def run(x, h0, *rest):
        state, weights = (rest[:1], rest[1:]) if kind == "LSTM" else ((), rest)
        step = x.dim() == 2
        module = getattr(torch.nn, kind)(x.shape[-1], h0.shape[-1], bias=has_bias, **options).double()
        inputs = x[None] if step else x.flip(0) if reverse else x
        names = ["weight_ih_l0", "weight_hh_l0"] + (["bias_ih_l0", "bias_hh_l0"] if has_bias else [])
        h, c = h0[None], [s[None] for s in state]
        y, last = torch.func.functional_call(module, dict(zip(names, weights)), (inputs, (h, *c) if c else h))
        if kind == "LSTM":
            # PyTorch gives the last c alone: the others come from runs that end earlier.
            cells = [torch.func.functional_call(module, dict(zip(names, weights)), (inputs[: t + 1], (h, *c)))[1][1]
                     for t in range(len(inputs))]
            y = torch.cat([y, torch.cat(cells) * 0.5], -1)
        return y[0] if step else y.flip(0) if reverse else y
    return run


def cases(kind, sequence, has_bias, extents):
    def case(length, batch, features, units):
        gates = GATES[kind] * units
        x = (length, batch, features) if sequence else (batch, features)
        states = [(batch, units)] * (2 if kind == "LSTM" else 1)
        return [x] + states + [(gates, features), (gates, units)] + ([(gates,), (gates,)] if has_bias else [])
    return [case(*e) for e in extents]


ROWS = {}
for kind in GATES:
    cell, sequence = kind.lower() + "_cell", kind.lower()
    steps, sequences = [(1, 2, 3, 2), (1, 1, 1, 3)], [(3, 2, 2, 2), (1, 1, 3, 2), (4, 3, 2, 3)]
    ROWS[cell] = (layer(kind, True), cases(kind, False, True, steps), [UNIT])
    ROWS[cell + " without bias"] = (layer(kind, False), cases(kind, False, False, steps), [UNIT])
    ROWS[sequence] = (layer(kind, True), cases(kind, True, True, sequences), [UNIT])
    ROWS[sequence + " without bias"] = (layer(kind, False), cases(kind, True, False, sequences), [UNIT])
    ROWS[sequence + " reverse"] = (layer(kind, True, reverse=True), cases(kind, True, True, sequences), [UNIT])
    if kind == "RNN":
        relu = layer(kind, True, nonlinearity="relu")
        ROWS[cell + " relu"] = (relu, cases(kind, False, True, steps), [UNIT])
        ROWS[sequence + " relu"] = (relu, cases(kind, True, True, sequences), [UNIT])
