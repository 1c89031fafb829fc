"""The table of ``docs/integrity.md``: what the AWS CLI and ctfast say of every scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aws import Answer
from tampering import AWS_SAYS, Case

BEGIN, END = "<!-- oracle: begin -->", "<!-- oracle: end -->"
MEANING = {
    "missing": "not there",
    "moved": "not where it says it was written to",
    "key": "signed with a key that is not one of the region's public keys",
    "unsigned": "no signature, and no successor to vouch for it",
    "algorithm": "not SHA-256 with RSA PKCS#1 v1.5",
    "contradicted": "what it says of its predecessor, or where it points, is not so",
    "continuity": "it does not begin where the one before it ends",
    "time": "its times contradict its name or each other",
    "window": "its key was not valid at that time",
    "duplicate": "listed twice",
    "foreign": "of another account or region",
    "outside": "a name that leads out of the archive: not opened",
    "unlisted": "no valid digest lists it",
    "trailing": "more than one whole gzip member",
    "gone": "deleted with all that named it: neither tool can know",
}


def _kind(file: str) -> str:
    return "digest" if "/CloudTrail-Digest/" in file else "log"


def _summary(words: Mapping[str, str], quiet: str) -> str:
    """What is said other than valid, most files together."""
    counts = Counter((_kind(file), word) for file, word in words.items() if word not in ("valid", quiet))
    valid = sum(word == "valid" for word in words.values())
    parts = [f"{kind} {word}" + (f" × {count}" if count > 1 else "") for (kind, word), count in sorted(counts.items())]
    if not parts:
        return "valid" if valid else "nothing"
    return ", ".join(parts)


def _aws(case: Case, answer: Answer) -> str:
    if not case.runs:
        return "(not run)"
    said = {file: answer.files.get(file, "silent") for file in case.ours}
    exit_code = f"exit {max(answer.codes)}"
    silent = sum(word == "silent" and case.ours[file] != "gone" for file, word in said.items())
    text = _summary(said, "silent")
    if silent and case.ours != case.theirs:
        text += f"; silent on {silent}"
    return f"{text} ({exit_code})"


def _relation(case: Case) -> str:
    ours, theirs = case.ours, case.theirs
    return "" if all(AWS_SAYS[ours[file]] == theirs[file] and ours[file] in (theirs[file], "gone") for file in ours) else "≠"


def render(cases: list[Case], answers: Mapping[str, Answer]) -> str:
    """Markdown, the same for the same verdicts."""
    lines = ["| what was changed | ctfast | AWS CLI | | why they differ |", "|---|---|---|---|---|"]
    for case in cases:
        ours = _summary({file: word for file, word in case.ours.items() if word != "gone"}, "")
        row = [case.changed, ours, _aws(case, answers[case.name]), _relation(case), case.why]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    differ = sum(bool(_relation(case)) for case in cases)
    head = f"{len(cases)} archives; the two tools agree on every file of {len(cases) - differ}, and differ (≠) on {differ}."
    words = [f"- *{word}*: {meaning}" for word, meaning in MEANING.items()]
    return "\n".join([head, "", *lines, "", "The words:", "", *words])


def within(document: str, table: str) -> str:
    """The document with the table between its markers."""
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"
