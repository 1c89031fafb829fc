"""A verification as one HTML page: verdict, calendar of hours, all findings. It loads and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ctfast._ctfast import __version__
from ctfast._integrity.coverage import by_chain, hourly, is_clean
from ctfast._integrity.verdict import MEANING, exceptions, found_span, moment, requested
from ctfast._integrity.verdict import by_chain as by_range
from ctfast._later import pl
from ctfast._show.notebook import escaped
from ctfast._show.plain import counted

if TYPE_CHECKING:
    from ctfast._integrity.verification import Tally, Verification

__all__ = ["page"]

#: Findings that are listed one by one.
_MOST = 2000
#: Chains, and spans per chain, whose ranges are listed one by one.
_CHAINS, _STRETCHES = 1000, 12
#: Hours that are drawn of a span without digests, half of them at either end.
_HOURS = 62 * 24
#: Rectangles of all calendars together; beyond that, only chains with findings are drawn.
_RECTANGLES = 60_000
#: Pixels from one row of a calendar to the next. Its columns fill the width of the page.
_ROW = 19
_STATES = {
    "valid": "digest and log files valid",
    "empty": "valid digest, no log files",
    "gap": "no digest, and the chain starts again",
    "unknown": "could not be checked",
    "missing": "digest missing",
    "invalid": "digest or log file invalid or missing",
}

_STYLE = """
:root{color-scheme:light dark;--page:#f7f8fa;--card:#fff;--ink:#1b2330;--on:#fff;--soft:#5c6779;--line:#dfe3ea;
--valid:#2c9a63;--empty:#a5dcbd;--gap:#c3cad5;--unknown:#7d93b8;--missing:#e39a1c;--invalid:#d43c46}
@media(prefers-color-scheme:dark){:root{--page:#12161d;--card:#1a202a;--ink:#e6ebf3;--on:#12161d;--soft:#98a4b7;--line:#2d3644;
--valid:#37b577;--empty:#22563d;--gap:#414b5a;--unknown:#6a82ab;--missing:#e5a336;--invalid:#ef5962}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:19px;margin:40px 0 12px}h3{font-size:15px;margin:0 0 2px}
p{margin:0 0 12px}.soft{color:var(--soft)}.mono{font-family:ui-monospace,monospace;font-size:13px}
.verdict{border-left:6px solid var(--shade);background:var(--card);border-radius:8px;padding:18px 22px;margin:20px 0;
box-shadow:0 1px 2px #0001}.verdict p{margin:0}.verdict strong{font-size:20px;display:block}
.valid-v{--shade:var(--valid)}.invalid-v{--shade:var(--invalid)}.unknown-v{--shade:var(--unknown)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.card b{font-size:24px;font-weight:600;display:block;font-variant-numeric:tabular-nums}
.card span{display:block;color:var(--soft);font-size:13px}.card .bad{color:var(--invalid);font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:13px;color:var(--soft);margin-bottom:16px}
.legend svg{width:16px;height:14px;vertical-align:-2px;margin-right:6px}
.chain{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 14px}
.calendar{display:grid;grid-template-columns:auto minmax(0,1fr);column-gap:10px;max-width:900px;margin-top:6px;
color:var(--soft);
font-size:11px;line-height:19px;font-variant-numeric:tabular-nums}.hours{grid-column:2;display:flex}.hours span{flex:1}
.days{white-space:pre}.calendar svg{display:block;width:100%}
.valid{fill:var(--valid)}.empty{fill:var(--empty)}.gap{fill:var(--gap)}.unknown{fill:var(--unknown)}
.missing{fill:var(--missing)}.invalid{fill:var(--invalid)}.grid{stroke:var(--card);stroke-width:2;vector-effect:non-scaling-stroke}
.table{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:8px 12px;vertical-align:top}
th{color:var(--soft);font-weight:500;border-bottom:1px solid var(--line);white-space:nowrap}
tr+tr td{border-top:1px solid var(--line)}td.place{white-space:nowrap}
.tag{display:inline-block;border-radius:4px;padding:0 7px;color:var(--on);background:var(--soft);white-space:nowrap}
.tag.error{background:var(--invalid)}footer{margin-top:48px;color:var(--soft);font-size:13px}
@media(max-width:640px){main{padding:20px 14px 40px}.grid{stroke-width:1}.findings tr{display:block;padding:8px 12px}
.findings td{display:block;padding:1px 0;border:0}
.findings tr:first-child,.findings br{display:none}.findings tr+tr+tr{border-top:1px solid var(--line)}}
@media print{body{background:#fff}.chain,.card{break-inside:avoid}}
"""

_FOOT = """\
<footer>Written by ctfast {version} on {time}. What a verification proves, and what it does not, is told in its
documentation, docs/integrity.md.</footer></main></body></html>
"""


def page(found: Verification, title: str) -> str:
    """Return the page."""
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            # The page needs nothing from outside; this keeps it so, whatever a name in it contains:
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}: CloudTrail verification</title><style>{_STYLE}</style></head><body><main>",
            f'<h1>CloudTrail verification</h1><p class="soft mono">{escaped(title)}</p>',
            *_verdict(found),
            *_cards(found),
            *_ranges(found),
            *_keys(found),
            *_calendars(found),
            *_findings(found),
            _FOOT.format(version=escaped(__version__), time=_time(datetime.now(UTC))),
        )
    )


def _verdict(found: Verification) -> Iterator[str]:
    if not found.checked:
        kind, word, words = (
            "unknown",
            "Nothing could be checked",
            "There is no digest file to go by, so nothing is proven.",
        )
    elif found.ok:
        kind, word = "valid", "Valid"
        words = f"{MEANING}{exceptions(found)}."
    elif not found.errors:
        kind, word, words = "invalid", "Not valid", "No valid digest covers anything of what was asked for."
    else:
        kind, word = "invalid", "Not valid"
        words = f"{counted(found.errors, 'finding')} speak{'s' if found.errors == 1 else ''} against this archive."
    stretch = found_span(found)
    if stretch is not None:
        words = f"From {moment(stretch[0])} to {moment(stretch[1])} UTC: {words}" if found.ok else words
    asked = f'<p class="soft">Asked for: {escaped(requested(found))} (UTC)</p>'
    yield f'<div class="verdict {kind}-v"><strong>{word}</strong>{words}{asked}</div>'


def _ranges(found: Verification) -> Iterator[str]:
    """Found and uncovered time of each chain."""
    chains = by_range(found)
    if not chains:
        return
    yield (
        "<h2>Found and uncovered</h2><p class='soft'>Times of delivery, UTC. Of what is uncovered nothing is"
        " proven.</p>"
    )
    yield '<div class="table findings"><table><tr><th>Account, region, trail</th><th>Found</th><th>Uncovered</th></tr>'
    for chain in chains[:_CHAINS]:
        place = " <br>".join(escaped(chain[name]) for name in ("account", "region", "trail"))
        cells = [
            _stretches(chain[name], ok=found.ok) or '<span class="soft">nothing</span>'
            for name in ("found", "uncovered")
        ]
        yield f'<tr><td class="place">{place}</td><td>{cells[0]}</td><td>{cells[1]}</td></tr>'
    yield "</table></div>"
    if len(chains) > _CHAINS:
        yield f'<p class="soft">and {counted(len(chains) - _CHAINS, "more chain")}, which the other formats list.</p>'


def _stretches(stretches: list[tuple[Any, Any, str | None]], *, ok: bool) -> str:
    lines = []
    for start, end, reason in stretches[:_STRETCHES]:
        is_error = reason in ("missing-digest", "digest-invalid") or (reason == "uncovered" and not ok)
        tag = f' <span class="tag{" error" if is_error else ""}">{escaped(reason)}</span>' if reason else ""
        lines.append(f"<div>{moment(start)} to {moment(end)}{tag}</div>")
    if len(stretches) > _STRETCHES:
        lines.append(f'<div class="soft">and {len(stretches) - _STRETCHES:,} more</div>')
    return "".join(lines)


def _keys(found: Verification) -> Iterator[str]:
    """The keys that prove the digests."""
    if found.keys.is_empty():
        return
    yield (
        "<h2>Keys</h2><p class='soft'>Public keys that valid digests are signed with, by the MD5 of their DER"
        " encoding.</p>"
    )
    yield '<div class="table"><table><tr><th>Region</th><th>Fingerprint</th><th>Valid digests</th></tr>'
    for region, fingerprint, digests in found.keys.head(_MOST).iter_rows():
        yield (
            f'<tr><td class="place">{escaped(region)}</td><td'
            f' class="mono">{escaped(fingerprint)}</td><td>{digests:,}</td></tr>'
        )
    yield "</table></div>"


def _cards(found: Verification) -> Iterator[str]:
    saved, held = found.vouched
    errors, notes = (found.unlisted.filter(pl.col("severity") == severity).height for severity in ("error", "note"))
    yield '<div class="cards">'
    yield _card("digest file", *_tally(found.digest_counts))
    if found.backfill_counts.total:
        yield _card("backfill digest file", *_tally(found.backfill_counts))
    yield _card("listed log file", *_tally(found.log_counts))
    yield _card(
        "checked signature", saved + held, [f"{saved:,} saved in a file", f"{held:,} held by the next digest"], []
    )
    yield _card(
        "unlisted log file",
        errors + notes,
        [f"{notes:,} expected"] if notes else [],
        [f"{errors:,} unexplained"] if errors else [],
    )
    yield _card(
        "finding",
        found.findings.height,
        [counted(found.notes, "note")],
        [counted(found.errors, "error")] if found.errors else [],
    )
    yield "</div>"


def _card(noun: str, number: int, well: list[str], bad: list[str]) -> str:
    lines = [f"<span>{line}</span>" for line in well] + [f'<span class="bad">{line}</span>' for line in bad]
    amount, _, name = counted(number, noun).partition(" ")
    return f'<div class="card"><b>{amount}</b>{name}{"".join(lines)}</div>'


def _tally(tally: Tally) -> tuple[int, list[str], list[str]]:
    bad = [f"{count:,} {status}" for status, count in zip(tally._fields[1:], tally[1:], strict=True) if count]
    return tally.total, [f"{tally.valid:,} valid"], bad


def _calendars(found: Verification) -> Iterator[str]:
    chains = by_chain(found.spans)
    if not chains:
        return
    yield "<h2>Hour by hour</h2><p class='soft'>One row per day, one column per hour of delivery (UTC).</p>"
    yield '<div class="legend">'
    for state, words in _STATES.items():
        yield (
            f'<span><svg viewBox="0 0 16 14"><rect class="{state}" width="16" height="14" rx="2"/></svg>{words}</span>'
        )
    yield "</div>"
    left, hidden = _RECTANGLES, 0
    for spans in chains:
        if left <= 0 and is_clean(spans):
            hidden += 1
            continue
        chain = hourly(spans, _HOURS)
        drawing, rectangles = _calendar(chain)
        left -= rectangles
        account, region, trail = chain.row(0)[:3]
        counts, is_cut = _hours_of(chain, spans)
        logs: int = chain.select(pl.col("logs").sum()).item()
        words = ", ".join(f"{counted(number, 'hour')} {state}" for state, number in counts)
        words += " (of the longest stretches without digests both ends are drawn)" if is_cut else ""
        yield f'<div class="chain"><h3>{escaped(account)} · {escaped(region)}</h3>'
        yield f'<div class="soft">trail {escaped(trail)}: {words}, {counted(logs, "log file")}</div>{drawing}</div>'
    if hidden:
        yield f'<p class="soft">{counted(hidden, "more chain")}, valid throughout, not drawn.</p>'


def _hours_of(chain: pl.DataFrame, spans: pl.DataFrame) -> tuple[list[tuple[str, int]], bool]:
    """The number of hours of each state, and whether some of them are not drawn."""
    drawn = timedelta(hours=_HOURS)
    long = spans.filter(pl.col("digests") == 0, (pl.col("end") - pl.col("start")) > drawn)
    left_out: dict[str, int] = {}
    for state, start, end in long.select("state", "start", "end").iter_rows():
        left_out[state] = left_out.get(state, 0) + (end - start - drawn) // timedelta(hours=1)
    counts = chain.group_by("state").len().sort("state").rows()
    return [(state, number + left_out.get(state, 0)) for state, number in counts], bool(left_out)


def _calendar(chain: pl.DataFrame) -> tuple[str, int]:
    """Draw one chain; hours of the same state are one rectangle."""
    hours = {
        hour.replace(tzinfo=None): row for hour, *row in chain.select("hour", "state", "logs", "bad_logs").iter_rows()
    }
    # Days of which nothing is known share one row without a name.
    known = sorted({hour.date() for hour in hours})
    days: list[date | None] = [known[0]]
    for before, day in pairwise(known):
        days += [day] if day - before == timedelta(days=1) else [None, day]
    height = len(days) * _ROW
    ticks = "".join(f"<span>{hour:02}</span>" for hour in range(0, 24, 3))
    names = "\n".join("…" if day is None else str(day) for day in days)
    parts = [f'<div class="calendar"><div class="hours">{ticks}</div><div class="days">{names}</div>']
    parts.append(
        f'<svg viewBox="0 0 24 {height}" height="{height}" preserveAspectRatio="none" role="img" aria-label="calendar">'
    )
    rectangles = 0
    for number, day in enumerate(days):
        for state, begin, end, logs, bad in () if day is None else _runs(hours, day):
            place = f'x="{begin}" y="{number * _ROW + 2}" width="{end - begin}" height="{_ROW - 3}"'
            words = f"{day} {begin:02}:00-{end:02}:00: {state}, {counted(logs, 'log file')}" + (
                f", {bad:,} bad" if bad else ""
            )
            parts.append(f'<rect class="{state}" {place}><title>{words}</title></rect>')
            rectangles += 1
    lines = "".join(f"M{hour} 0V{height}" for hour in range(1, 24))
    return "".join([*parts, f'<path class="grid" d="{lines}"/></svg></div>']), rectangles


def _runs(hours: dict[datetime, list[Any]], day: date) -> Iterator[tuple[str, int, int, int, int]]:
    """State, first hour, hour after the last, log files and bad ones, for each run of hours of a day."""
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001  # as the keys are
    found = ((hour, hours.get(start + timedelta(hours=hour))) for hour in range(24))
    for state, run in groupby(found, key=lambda item: item[1] and item[1][0]):
        if state:
            cells = [(hour, row) for hour, row in run if row]
            yield state, cells[0][0], cells[-1][0] + 1, sum(row[1] for _, row in cells), sum(row[2] for _, row in cells)


def _findings(found: Verification) -> Iterator[str]:
    rows = found.findings
    yield "<h2>Findings</h2>"
    if rows.is_empty():
        yield "<p>None.</p>"
        return
    counts = (
        rows.group_by("severity", "reason").len().sort("severity", "len", "reason", descending=[False, True, False])
    )
    yield '<div class="table"><table><tr><th>Finding</th><th>Count</th></tr>'
    for severity, reason, number in counts.iter_rows():
        yield f'<tr><td><span class="tag {severity}">{escaped(reason)}</span></td><td>{number:,}</td></tr>'
    yield '</table></div><p></p><div class="table findings"><table>'
    yield "<tr><th>Finding</th><th>Time</th><th>Place</th><th>What</th></tr>"
    for row in rows.sort("severity", maintain_order=True).head(_MOST).iter_rows(named=True):
        place = " <br>".join(escaped(row[name]) for name in ("account", "region", "trail") if row[name])
        file = f'<div class="soft mono">{escaped(row["file"])}</div>' if row["file"] else ""
        yield (
            f'<tr><td><span class="tag {row["severity"]}">{escaped(row["reason"])}</span></td>'
            f'<td class="place">{_time(row["time"]).replace(" ", " <br>", 1)}</td><td class="place">{place}</td>'
            f"<td>{escaped(row['message'])}{file}</td></tr>"
        )
    yield "</table></div>"
    if rows.height > _MOST:
        yield f'<p class="soft">and {rows.height - _MOST:,} more, which the other formats list.</p>'


def _time(time: Any) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} UTC"
