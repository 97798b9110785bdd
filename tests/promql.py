"""What an expression asks for: its metrics and labels, and whether a doubled exporter counts once.

Knows the metrics of the catalogue and the labels that a scrape adds, and follows labels through
functions, aggregations and operators. It evaluates nothing; a real Prometheus does that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    LabelModifierType,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from exporter.metrics import BUILD_INFO, CATALOGUE, Type

Labels = frozenset[str]

TARGET_LABELS = Labels({"job", "instance", "pod"})
"""What Prometheus adds when it scrapes."""
EXPORTER_LABELS = Labels({"instance", "pod"})
"""What tells two exporters of one job apart."""

_NONE: Labels = Labels()
_RISE = {"increase", "rate"}
_SELECT = {"topk", "bottomk"}
_TAKE_ONE = {"max", "min"}
_SETS = {"and", "or", "unless"}


def parse(expression: str) -> Expr:
    """Parse PromQL. Raises ValueError for a syntax, function or type that does not exist."""
    return promql_parser.parse(expression)


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics, known or not."""
    return {selector.name for selector, _ in _selectors(parse(expression))}


def labels(expression: str) -> Labels:
    """Return the labels that the result can have."""
    return _Labels().of(parse(expression))


def mistakes(expression: str) -> list[str]:
    """Return what is wrong with an expression that parses; of a good one, nothing.

    Metrics that the exporter has not; labels that are not there, or that differ where both sides of
    an operator must have the same; counters but for their increase, and the increase of gauges; and
    figures that a doubled exporter would raise.
    """
    tree = parse(expression)
    found = _Labels()
    found.of(tree)
    for selector, above in _selectors(tree):
        found.mistakes += _misuse(selector.name, above)
    return found.mistakes


def is_sum(expression: str) -> bool:
    """Tell whether an expression is one sum, of all or by some labels."""
    tree = parse(expression)
    return isinstance(tree, AggregateExpr) and str(tree.op) == "sum"


def legend_labels(legend: str) -> set[str]:
    """Return the labels that a legend such as {{application}} names."""
    return set(re.findall(r"{{\s*(\w+)\s*}}", legend))


def _misuse(name: str, above: tuple[Expr, ...]) -> Iterator[str]:
    """Say how a metric is misused; `above` is what surrounds it, the innermost first."""
    metric = CATALOGUE.get(name)
    rises = any(isinstance(one, Call) and one.func.name in _RISE for one in above)
    if metric and (metric.type is Type.COUNTER) != rises:
        yield f"{name}: a counter counts by its increase, a gauge by what it is"
    aggregation = next((one for one in above if isinstance(one, AggregateExpr)), None)
    counts_exporters = name == BUILD_INFO.name and aggregation and str(aggregation.op) == "count"
    if not counts_exporters and not _takes_one(aggregation):
        yield f"{name}: begin with max without (instance, pod), so that a doubled one counts once"


def _takes_one(aggregation: AggregateExpr | None) -> bool:
    """Tell whether one of two exporters that say the same is taken: max or min, over both."""
    if aggregation is None or str(aggregation.op) not in _TAKE_ONE:
        return False
    modifier = aggregation.modifier
    if modifier is None:
        return True
    named = EXPORTER_LABELS & set(modifier.labels)
    return named == (EXPORTER_LABELS if modifier.type == AggModifierType.Without else _NONE)


def _selectors(tree: Expr) -> Iterator[tuple[VectorSelector, tuple[Expr, ...]]]:
    return ((one, above) for one, above in _walk(tree) if isinstance(one, VectorSelector))


def _walk(tree: Expr, above: tuple[Expr, ...] = ()) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Yield every part with what surrounds it, the innermost first."""
    yield tree, above
    for part in _parts(tree):
        yield from _walk(part, (tree, *above))


def _parts(tree: Expr) -> list[Expr]:
    match tree:
        case ParenExpr() | UnaryExpr() | SubqueryExpr() | AggregateExpr():
            return [tree.expr]
        case MatrixSelector():
            return [tree.vector_selector]
        case BinaryExpr():
            return [tree.lhs, tree.rhs]
        case Call():
            return list(tree.args)
        case _:
            return []


@dataclass
class _Labels:
    """Follows the labels of an expression, and keeps what is wrong with them."""

    mistakes: list[str] = field(default_factory=list)

    def of(self, tree: Expr) -> Labels:
        match tree:
            case VectorSelector():
                return self._selected(tree)
            case AggregateExpr():
                return self._aggregated(tree)
            case BinaryExpr():
                return self._operated(tree)
            case Call():
                return self._called(tree)
            case _:
                return _NONE.union(*(self.of(part) for part in _parts(tree)))

    def _need(self, names: set[str] | Labels, present: Labels, where: str) -> None:
        for name in sorted(names - present):
            self.mistakes.append(f"{where}: there is no label {name}")

    def _selected(self, selector: VectorSelector) -> Labels:
        metric = CATALOGUE.get(selector.name)
        if metric is None:
            self.mistakes.append(f"{selector.name}: the exporter has no such metric")
            return TARGET_LABELS
        present = TARGET_LABELS | set(metric.labels)
        named = {matcher.name for matcher in selector.matchers.matchers}
        self._need(named, present, selector.name)
        return present

    def _aggregated(self, tree: AggregateExpr) -> Labels:
        inner = self.of(tree.expr)
        modifier, where = tree.modifier, str(tree.op)
        if modifier:
            self._need(set(modifier.labels), inner, f"{where} ({', '.join(modifier.labels)})")
        if where in _SELECT:
            return inner
        if modifier is None:
            return _NONE
        kept = Labels(modifier.labels)
        return inner - kept if modifier.type == AggModifierType.Without else kept

    def _called(self, call: Call) -> Labels:
        inner = _NONE.union(*(self.of(argument) for argument in call.args))
        texts = [argument.val for argument in call.args if isinstance(argument, StringLiteral)]
        match call.func.name:
            case "label_join":
                self._need(set(texts[2:]), inner, "label_join")
                return inner | {texts[0]}
            case "label_replace":
                self._need({texts[2]}, inner, "label_replace")
                return inner | {texts[0]}
            case _:
                return inner

    def _operated(self, tree: BinaryExpr) -> Labels:
        left, right = self.of(tree.lhs), self.of(tree.rhs)
        if _is_scalar(tree.lhs) or _is_scalar(tree.rhs):
            return left | right
        matching = tree.modifier and tree.modifier.matching
        if matching is None:
            matched = left, right
        elif matching.type == LabelModifierType.Include:
            self._need(set(matching.labels), left & right, f"on ({', '.join(matching.labels)})")
            matched = Labels(matching.labels), Labels(matching.labels)
        else:
            matched = left - set(matching.labels), right - set(matching.labels)
        if matched[0] != matched[1]:
            differing = ", ".join(sorted(matched[0] ^ matched[1]))
            self.mistakes.append(f"{tree.op}: {differing} on one side only, so nothing can match")
        return self._result(tree, left, right, matched[0])

    def _result(self, tree: BinaryExpr, left: Labels, right: Labels, matched: Labels) -> Labels:
        if str(tree.op) in _SETS:
            return left | right if str(tree.op) == "or" else left
        card = tree.modifier.card if tree.modifier else VectorMatchCardinality.OneToOne
        added = set(tree.modifier.group_labels or ()) if tree.modifier else set()
        if card == VectorMatchCardinality.ManyToOne:
            self._need(added, right, "group_left")
            return left | added
        if card == VectorMatchCardinality.OneToMany:
            self._need(added, left, "group_right")
            return right | added
        return matched


def _is_scalar(tree: Expr) -> bool:
    match tree:
        case NumberLiteral():
            return True
        case Call():
            return tree.func.name in {"time", "scalar", "pi"}
        case ParenExpr() | UnaryExpr() | BinaryExpr():
            return all(_is_scalar(part) for part in _parts(tree))
        case _:
            return False
