"""CloudFormation and SAM templates: the conditions on events that they set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ctfast._filter.shapes import ENABLED, Language, Piece
from ctfast.exceptions import FilterError

if TYPE_CHECKING:
    import yaml

__all__ = ["from_yaml", "in_template"]

#: The deepest nesting of brackets in a template in YAML.
_DEEPEST = 256
#: Types of resources with one property that is a condition.
_PROPERTIES: dict[str, tuple[Language, str]] = {
    "AWS::Events::Rule": ("event pattern", "EventPattern"),
    "AWS::Logs::MetricFilter": ("filter pattern", "FilterPattern"),
    "AWS::Logs::SubscriptionFilter": ("filter pattern", "FilterPattern"),
}
#: Types of the events of a SAM function or state machine.
_EVENTS: dict[str, tuple[Language, str]] = {
    "EventBridgeRule": ("event pattern", "Pattern"),
    "CloudWatchEvent": ("event pattern", "Pattern"),
    "CloudWatchLogs": ("filter pattern", "FilterPattern"),
}
#: What a trail logs by default, if the template has no selectors ("AWS::CloudTrail::Trail", property EventSelectors).
_DEFAULT = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}
_TRAILS = {
    "AWS::CloudTrail::Trail": ("EventSelectors", "AdvancedEventSelectors"),
    "AWS::CloudTrail::EventDataStore": ("AdvancedEventSelectors",),
}


#: Deepest nesting of event selectors that is converted; valid ones need less.
_LEVELS = 16


def in_template(template: Mapping[str, Any]) -> Iterator[Piece]:
    """Yield the conditions of a template under the logical ids of their resources."""
    for name, resource in template["Resources"].items():
        if not isinstance(resource, Mapping):
            continue
        kind, properties = resource.get("Type"), resource.get("Properties")
        properties = properties if isinstance(properties, Mapping) else {}
        for piece in _of_resource(str(name), kind, properties):
            yield piece._replace(problem=_unresolved(piece.value, piece.path) or _unresolved(piece.state, piece.path))


def _of_resource(name: str, kind: Any, properties: Mapping[str, Any]) -> Iterator[Piece]:
    path = f"Resources.{name}.Properties"
    if kind in _TRAILS:
        found = {key: _typed(properties[key]) for key in _TRAILS[kind] if properties.get(key)}
        yield Piece("event selectors", found or _DEFAULT, name, path)
    elif kind in _PROPERTIES:
        language, key = _PROPERTIES[kind]
        if key in properties:
            state = properties.get("State", ENABLED) if language == "event pattern" else None
            yield Piece(language, properties[key], name, f"{path}.{key}", state)
    elif kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine"):
        events = properties.get("Events")
        for event, source in events.items() if isinstance(events, Mapping) else ():
            known = _EVENTS.get(str(source.get("Type"))) if isinstance(source, Mapping) else None
            inner = source.get("Properties") if known else None
            if known and isinstance(inner, Mapping) and known[1] in inner:
                # The name is the logical id of the rule that SAM makes of it.
                at = f"{path}.Events.{event}.Properties.{known[1]}"
                yield Piece(known[0], inner[known[1]], f"{name}{event}", at, _state(known[0], inner))


def _typed(value: Any, key: str = "", levels: int = _LEVELS) -> Any:
    """Convert scalars to the types of their properties, as CloudFormation does: strings, except for one flag."""
    if isinstance(value, (Mapping, list)) and levels == 0:
        return value  # the reader of selectors refuses it
    if isinstance(value, Mapping):
        return {name: _typed(item, name, levels - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, levels=levels - 1) for item in value]
    if key == "IncludeManagementEvents":
        return {"true": True, "false": False}.get(str(value).lower(), value)
    return str(value).lower() if isinstance(value, bool) else value


def _state(language: Language, properties: Mapping[str, Any]) -> Any:
    """Return the state of a rule that SAM makes; ``Enabled`` is an older form of ``State``."""
    if language != "event pattern":
        return None
    return properties.get("State") or (
        "DISABLED" if str(properties.get("Enabled", True)).lower() == "false" else ENABLED
    )


def _unresolved(value: Any, path: str) -> FilterError | None:
    """Return the error for the first value that only CloudFormation could fill in."""
    waiting = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, Mapping):
            for key in value:
                if len(value) == 1 and isinstance(key, str) and (key == "Ref" or key.startswith("Fn::")):
                    return FilterError(
                        f"{key} stands for a value that only CloudFormation knows", path, kind="unresolved"
                    )
            waiting += [(item, f"{path}.{key}") for key, item in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [(item, f"{path}[{at}]") for at, item in reversed(list(enumerate(value)))]
    return None


def from_yaml(text: str) -> Any:
    """Read a template in YAML, with the short forms of its functions.

    Aliases are refused, and values that YAML would take for dates are strings, as in CloudFormation ("AWS
    CloudFormation template formats").
    """
    try:
        import yaml  # noqa: PLC0415  # an extra
    except ImportError:
        raise ImportError("templates in YAML need PyYAML: pip install 'ctfast[yaml]'") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
        yaml_implicit_resolvers = {  # noqa: RUF012  # as the class above has it
            first: [(tag, expression) for tag, expression in resolvers if not tag.endswith((":timestamp", ":merge"))]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def fetch_flow_collection_start(self, token: Any) -> None:
            # The time for each bracket grows with the number of brackets around it.
            if self.flow_level >= _DEEPEST:
                raise yaml.MarkedYAMLError(
                    problem=f"nested deeper than {_DEEPEST} brackets", problem_mark=self.get_mark()
                )
            super().fetch_flow_collection_start(token)

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.MarkedYAMLError(problem="an alias, which CloudFormation does not take", problem_mark=mark)
            return super().compose_node(parent, index)

    def function(loader: Any, name: str, node: yaml.Node) -> Any:
        value = {
            "scalar": loader.construct_scalar,
            "sequence": lambda node: loader.construct_sequence(node, deep=True),
            "mapping": lambda node: loader.construct_mapping(node, deep=True),
        }[node.id](node)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_multi_constructor("!", function)
    try:
        return yaml.load(text, Loader)  # noqa: S506  # a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise FilterError(f"invalid YAML: {error.problem}", line=line, column=column, kind="invalid-yaml") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FilterError(f"invalid YAML: {str(error).splitlines()[0]}", kind="invalid-yaml") from None
