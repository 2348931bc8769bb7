"""Formulas that a person types, as trees of a fixed set of operations.

Nothing typed is ever executed: a formula is read by a grammar of its own,

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("-" | "+") signed | power
    power   = atom ("**" signed)?
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

into an immutable tree, and a tree is evaluated by walking it. A formula has at most
`MAX_CHARACTERS` characters, `MAX_NODES` parts and `MAX_DEPTH` levels, so reading and
evaluating take a bounded time. Parts without a variable are computed while reading and
must be finite.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import torch
from torch import Tensor

MAX_CHARACTERS = 500
MAX_NODES = 200
MAX_DEPTH = 40
LARGEST_NUMBER = 1e30

CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi, "e": math.e})


def _step(value: Tensor) -> Tensor:
    return (value >= 0).to(value.dtype)


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Tensor]]] = MappingProxyType(
    {
        "sin": (1, torch.sin),
        "cos": (1, torch.cos),
        "tan": (1, torch.tan),
        "tanh": (1, torch.tanh),
        "exp": (1, torch.exp),
        "log": (1, torch.log),
        "sqrt": (1, torch.sqrt),
        "abs": (1, torch.abs),
        "min": (2, torch.minimum),
        "max": (2, torch.maximum),
        "sign": (1, torch.sign),
        "floor": (1, torch.floor),
        "relu": (1, torch.relu),
        "step": (1, _step),
    }
)
"""Number of arguments and meaning of each function; step is 1 from 0 on, else 0."""

_OPERATORS: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "+": torch.add,
        "-": torch.sub,
        "*": torch.mul,
        "/": torch.div,
        "**": torch.pow,
        "negative": torch.neg,
    }
)

RESERVED = frozenset({*FUNCTIONS, *CONSTANTS})
"""Names that no variable can have."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a variable may be called."""

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>{NAME.pattern})"
    r"|(?P<sign>\*\*|[-+*/(),])"
    r"|(?P<unknown>\S)"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable:
    """A name whose value is given when the formula is evaluated."""

    name: str


@dataclass(frozen=True, slots=True)
class Application:
    """An operation on the values of other parts."""

    operation: Callable[..., Tensor]
    arguments: tuple["Node", ...]


Node = Number | Variable | Application


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read.

    Attributes:
        root: Its tree.
        variables: The variables that occur in it.
    """

    root: Node
    variables: frozenset[str]

    @property
    def constant(self) -> float:
        """The value of a formula without variables."""
        assert isinstance(self.root, Number), "parts without variables are numbers"
        return self.root.value

    def evaluate(self, values: Mapping[str, Tensor]) -> Tensor:
        """Return the formula's value, of the shape its variables broadcast to.

        Args:
            values: A tensor for each variable, of one precision and device; more are
                allowed, and at least one is needed to tell both.
        """
        return _evaluate(self.root, values, next(iter(values.values())))


def _evaluate(node: Node, values: Mapping[str, Tensor], like: Tensor) -> Tensor:
    if isinstance(node, Number):
        return like.new_full((), node.value)
    if isinstance(node, Variable):
        return values[node.name]
    return node.operation(*(_evaluate(part, values, like) for part in node.arguments))


@lru_cache(maxsize=128)
def read_formula(text: str, variables: tuple[str, ...] = ()) -> Formula:
    """Return the tree of a formula.

    Args:
        text: For example "a*sin(w*x+p)+0.1*x".
        variables: Names that may occur besides the functions and constants.

    Raises:
        ValueError: Says what is wrong, at which character, and what is allowed.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"it has {len(text):,} characters; allowed: at most {MAX_CHARACTERS}"
        )
    reader = _Reader(text, variables)
    return Formula(root=reader.read(), variables=frozenset(reader.seen))


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the text: a number, a name, a sign, an unknown character, the end."""

    kind: str | None
    text: str
    position: int

    @property
    def place(self) -> str:
        return f"at character {self.position + 1}"


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        yield _Token(match.lastgroup, match.group(), match.start())
    yield _Token("end", "", len(text))


class _Reader:
    """Reads one formula by recursive descent."""

    def __init__(self, text: str, variables: Collection[str]) -> None:
        self.seen: set[str] = set()
        self._variables = variables
        self._rest = _tokens(text)
        self._next = next(self._rest)
        self._depth = 0
        self._num_nodes = 0

    def read(self) -> Node:
        root = self._sum()
        if self._next.kind != "end":
            raise self._unexpected("an operator + - * / ** or the end")
        return root

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._accept("+", "-"):
            node = self._apply(_OPERATORS[sign.text], (node, self._product()), sign)
        return node

    def _product(self) -> Node:
        node = self._signed()
        while sign := self._accept("*", "/"):
            node = self._apply(_OPERATORS[sign.text], (node, self._signed()), sign)
        return node

    def _signed(self) -> Node:
        """Read a part with its sign; every nesting passes here."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(
                f"it is nested more than {MAX_DEPTH} levels deep {self._next.place}"
            )
        if sign := self._accept("-"):
            node = self._apply(_OPERATORS["negative"], (self._signed(),), sign)
        elif self._accept("+"):
            node = self._signed()
        else:
            node = self._power()
        self._depth -= 1
        return node

    def _power(self) -> Node:
        base = self._atom()
        if sign := self._accept("**"):
            return self._apply(_OPERATORS["**"], (base, self._signed()), sign)
        return base

    def _atom(self) -> Node:
        if self._accept("("):
            node = self._sum()
            self._expect(")", "an operator + - * / ** or )")
            return node
        if self._next.kind == "number":
            token = self._take()
            return self._number(float(token.text), token)
        if self._next.kind == "name":
            return self._named(self._take())
        raise self._unexpected("a number, a name or a parenthesis")

    def _named(self, token: _Token) -> Node:
        if token.text in FUNCTIONS:
            return self._call(token)
        if token.text in CONSTANTS:
            return self._number(CONSTANTS[token.text], token)
        if token.text in self._variables:
            self.seen.add(token.text)
            return self._counted(Variable(token.text))
        names = ", ".join([*self._variables, *CONSTANTS, *FUNCTIONS])
        raise ValueError(
            f"it has an unknown name {token.text[:40]!r} {token.place}; allowed: {names}"
        )

    def _call(self, token: _Token) -> Node:
        num_arguments, operation = FUNCTIONS[token.text]
        self._expect("(", f"( after {token.text}")
        arguments = [self._sum()]
        while self._accept(","):
            arguments.append(self._sum())
        self._expect(")", "an operator + - * / **, a comma or )")
        if len(arguments) != num_arguments:
            raise ValueError(
                f"{token.text} {token.place} has {len(arguments)} arguments; allowed: "
                f"{num_arguments}"
            )
        return self._apply(operation, tuple(arguments), token)

    def _apply(
        self,
        operation: Callable[..., Tensor],
        arguments: tuple[Node, ...],
        token: _Token,
    ) -> Node:
        """Return the application, or its value if no variable is in it."""
        if not all(isinstance(part, Number) for part in arguments):
            return self._counted(Application(operation, arguments))
        # As tensors, 9**9**9 is infinite at once; as whole numbers it would take hours.
        constant = Application(operation, arguments)
        value = _evaluate(constant, {}, torch.zeros((), dtype=torch.float64))
        return self._number(float(value), token)

    def _number(self, value: float, token: _Token) -> Node:
        # What float32 holds with room to calculate; NaN fails the comparison too.
        if not abs(value) <= LARGEST_NUMBER:
            raise ValueError(
                f"it has a value {token.place} that is not a finite number; allowed: "
                f"up to {LARGEST_NUMBER:g}"
            )
        return self._counted(Number(value))

    def _counted(self, node: Node) -> Node:
        self._num_nodes += 1
        if self._num_nodes > MAX_NODES:
            raise ValueError(f"it has too many parts; allowed: at most {MAX_NODES}")
        return node

    def _take(self) -> _Token:
        token, self._next = self._next, next(self._rest, self._next)
        return token

    def _accept(self, *signs: str) -> _Token | None:
        return self._take() if self._next.text in signs else None

    def _expect(self, sign: str, wanted: str) -> None:
        if not self._accept(sign):
            raise self._unexpected(wanted)

    def _unexpected(self, wanted: str) -> ValueError:
        token = self._next
        if token.kind == "end":
            return ValueError(f"it ends where {wanted} should follow")
        hint = "; a power is written **" if token.text == "^" else ""
        return ValueError(
            f"it has {token.text[:40]!r} {token.place}, where {wanted} should stand{hint}"
        )
