"""Documents that are mistaken for filters: what each one is, and what to do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctfast._show.words import quoted
from ctfast.exceptions import FilterError

__all__ = ["refuse_document", "refuse_text"]

_OF_THE_CLI = (
    "give what the AWS CLI prints of it: aws events describe-rule, aws logs describe-metric-filters, or aws cloudtrail "
    "get-event-selectors"
)
_TERRAFORM = f"this is {{}} of Terraform, which is not read: {_OF_THE_CLI}"
_SIGMA = (
    "this is a Sigma rule, which is not read: write its condition as an event pattern, and the rule's title as its name"
)
_POLICY = "this is a policy of IAM, and no filter: its statements allow actions, and do not look for events"
_RECORDS = (
    "these are records of CloudTrail, and no filter: name the file as the archive, and what to look for as the filter"
)
_EVENT = "this is an event, and no pattern for events: values of a pattern stand in lists, as in {}"
_TEMPLATE = (
    "this is a template of CloudFormation in YAML: give the path of its file, which ends in .yaml, .yml or .template"
)

#: A block of Terraform's own language, such as resource "aws_cloudwatch_event_rule" "root" {
_BLOCK = re.compile(
    r'^(resource|data|module|variable|output|provider|locals|terraform)\b(\s+"[^"\n]*")*\s*\{', re.ASCII | re.MULTILINE
)
_SIGMA_KEYS = re.compile(r"^(detection|logsource):\s*$", re.ASCII | re.MULTILINE)
_TEMPLATE_KEYS = re.compile(r"^(AWSTemplateFormatVersion:|Resources:\s*$)", re.ASCII | re.MULTILINE)
#: Characters of a text that are examined: such documents can be recognised by their beginning.
_BEGINNING = 100_000
_FILES = (".json", ".filter", ".yaml", ".yml", ".template", ".tf")
#: Longer texts are not paths.
_LONGEST = 4_096


def refuse_text(text: str) -> None:
    """Refuse a text that is a document of another language, or the name of a file."""
    if len(text) < _LONGEST and text.endswith(_FILES) and "\0" not in text and Path(text).is_file():
        message = f"{quoted(text)} is the name of a file, and no filter: give it as pathlib.Path({quoted(text)})"
        raise FilterError(message, kind="path")
    beginning = text[:_BEGINNING]
    if _BLOCK.search(beginning):
        raise FilterError(_TERRAFORM.format("a configuration"), kind="foreign")
    if len(set(_SIGMA_KEYS.findall(beginning))) > 1:
        raise FilterError(_SIGMA, kind="foreign")
    if _TEMPLATE_KEYS.search(beginning):
        raise FilterError(_TEMPLATE, kind="foreign")


def refuse_document(document: Any) -> None:
    """Refuse JSON that is a document of another language."""
    if isinstance(document, list):
        document = next(iter(document), None)
    if not isinstance(document, Mapping):
        return
    words = _words(document)
    if words is not None:
        raise FilterError(words, kind="foreign")


def _words(document: Mapping[str, Any]) -> str | None:
    detection, resource, detail_type = (document.get(name) for name in ("detection", "resource", "detail-type"))
    of_aws = isinstance(resource, Mapping) and any(
        isinstance(name, str) and name.startswith("aws_") for name in resource
    )
    example = json.dumps({"detail-type": [detail_type]}) if isinstance(detail_type, str) else ""
    kinds = (
        (isinstance(document.get("terraform_version"), str), _TERRAFORM.format("a state or a plan")),
        (of_aws, _TERRAFORM.format("a configuration")),
        (isinstance(detection, Mapping) and "condition" in detection, _SIGMA),
        (_first(document.get("Statement"), "Effect"), _POLICY),
        (_first(document.get("Records"), "eventName") or isinstance(document.get("eventName"), str), _RECORDS),
        (bool(example), _EVENT.format(example)),
    )
    return next((words for is_it, words in kinds if is_it), None)


def _first(value: Any, key: str) -> bool:
    """Whether a value, or the first of several, is an object with this key."""
    first = next(iter(value), None) if isinstance(value, list) else value
    return isinstance(first, Mapping) and key in first
