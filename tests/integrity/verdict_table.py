"""The table of ``docs/integrity.md``: the verdicts of the AWS CLI and ctfast on every scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aws import Answer
from cases import INVALID, UNSTATED, Case

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
    """The verdicts other than valid, with files of the same verdict together."""
    counts = Counter((_kind(file), word) for file, word in words.items() if word not in ("valid", quiet))
    valid = sum(word == "valid" for word in words.values())
    parts = [f"{kind} {word}" + (f" ({count})" if count > 1 else "") for (kind, word), count in sorted(counts.items())]
    if not parts:
        return "valid" if valid else "nothing"
    return ", ".join(parts)


def _aws(case: Case, answer: Answer) -> str:
    if not case.runs:
        return "(not run)"
    said = {file: answer.files.get(file, "silent") for file in case.ours}
    exit_code = f"exit {max(answer.codes)}"
    silent = sum(word == "silent" and case.ours[file] not in UNSTATED for file, word in said.items())
    text = _summary(said, "silent")
    if silent and case.ours != case.theirs:
        text += f"; silent on {silent}"
    return f"{text} ({exit_code})"


def difference(case: Case) -> str:
    """How ctfast's verdict differs from that of the AWS CLI, in one word."""
    ours, theirs = case.ours, case.theirs
    listed = {file for chain in case.chains for file in chain.files()}
    # The AWS CLI does not mention the log files of an invalid digest, and ctfast says that no valid digest lists them:
    # that is not a difference.
    quiet = {file for file in listed if ours[file] in ("unlisted", *UNSTATED)}
    both = {file for file in ours if ours[file] != theirs[file]} - quiet
    noticed = INVALID & set(theirs.values())
    if any(ours[file] == "valid" and theirs[file] in INVALID for file in both):
        return "laxer"
    unsuspected = any(ours[file] != "valid" and theirs[file] in ("valid", "silent") for file in both)
    if unsuspected or not (case.ok or noticed):
        return "stricter"
    if any(theirs[file] == "silent" for file in both):
        return "AWS reads less"
    return "other word" if both else ""


def render(cases: list[Case], answers: Mapping[str, Answer]) -> str:
    """Markdown, the same for the same verdicts."""
    lines = ["| what was changed | ctfast | AWS CLI | ctfast is | why |", "|---|---|---|---|---|"]
    for case in cases:
        ours = _summary(case.stated, "") + (", beginning uncovered" if case.uncovered else "")
        row = [case.changed, ours, _aws(case, answers[case.name]), difference(case), case.why]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    counts = Counter(difference(case) or "the same" for case in cases)
    head = f"{len(cases)} archives: " + ", ".join(f"{word} {count}" for word, count in counts.most_common()) + "."
    words = [f"- *{word}*: {meaning}" for word, meaning in MEANING.items()]
    return "\n".join([head, "", *lines, "", "The words:", "", *words])


def within(document: str, table: str) -> str:
    """The document with the table between its markers."""
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"
