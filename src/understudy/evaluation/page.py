"""The report as one page: nothing to load from elsewhere, nothing that runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from understudy.evaluation.report import Line, PairReport, Report
from understudy.text import counted

_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .25rem .7rem; text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } tr { border-bottom: 1px solid #ddd; }
.yes { color: #17692e; } .no { color: #a3201d; } article { border-top: 2px solid #888; margin-top: 2rem; }
img { max-width: 100%; height: auto; } figure { display: inline-block; margin: .5rem 1rem .5rem 0; }
figcaption { font-size: 13px; color: #555; } svg { background: #f6f6f6; }
"""
#: Curves that share a plot: the target's and the swap's, and their colours.
_PLOTS: Final = (
    ("mouth", ("mouth of the target", "mouth of the swap")),
    ("lids", ("lids of the target", "lids of the swap")),
    ("jawOpen", ("jawOpen of the target", "jawOpen of the swap")),
    ("eyeBlink, both sides", ("eyeBlink of the target", "eyeBlink of the swap")),
    ("mouthSmile, both sides", ("mouthSmile of the target", "mouthSmile of the swap")),
    ("browInnerUp", ("browInnerUp of the target", "browInnerUp of the swap")),
    ("cheek's light, off by", ("cheek_error",)),
)
_COLORS: Final = ("#888", "#c33")
_WIDTH, _HEIGHT = 340, 90


def page(report: Report) -> str:
    """The report as HTML."""
    rows = "".join(_line(line) for line in report.lines())
    cost = "".join(f"<tr><td>{escape(s)}</td><td class=n>{ms:.2f}</td></tr>" for s, ms in report.cost().items())
    selves = "".join(
        f"<tr><td>{escape(p.clip)}</td>"
        + "".join(f"<td class=n>{_number(p.measures.get(key))}</td>" for key in _SELF_COLUMNS)
        + "</tr>"
        for p in report.selves
    )
    options = ", ".join(f"{escape(key)} {escape(str(value))}" for key, value in report.options.items())
    left_out = "".join(f"<p>{escape(clip)} is left out: {escape(why)}.</p>" for clip, why in report.left_out)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Understudy: evaluation</title>"
        '<meta name=viewport content="width=device-width">'
        f"<style>{_STYLE}</style><h1>Engine {escape(report.engine)}</h1>"
        f"<p>{counted(len(report.pairs), 'pair')}; likeness by {_judges(report)}; {options}. What each measure is:"
        f" <code>docs/evaluation.md</code>.</p>{left_out}"
        "<table><tr><th>Measure<th>Meaning<th>Mean<th>Between clips ±<th>Worst<th>On<th>Goal<th>Pairs that reach it"
        f"</tr>{rows}</table>"
        f"<h2>Milliseconds a frame</h2><table><tr><th>Stage<th>Median</tr>{cost}</table>"
        "<h2>Each clip's own face on itself</h2><table><tr><th>Clip"
        + "".join(f"<th>{escape(key)}" for key in _SELF_COLUMNS)
        + f"</tr>{selves}</table><h2>Identity distance</h2>{_matrix(report)}<h2>Pairs</h2>"
        + "".join(_pair(pair) for pair in report.pairs)
        + "</html>\n"
    )


#: Of the self-swaps.
_SELF_COLUMNS: Final = (
    *("ssim", "psnr", "pose_degrees", "expression", "blendshapes", "blendshapes_motion", "motion_kept"),
    *("jitter_ratio", "seam_excess"),
)


def _judges(report: Report) -> str:
    names = [name for name in (report.embedder, report.second_embedder) if name != "none"]
    return escape(", then by ".join(names) or "none")


def _line(line: Line) -> str:
    state = {True: "yes", False: "no", None: ""}[line.reached]
    within = "" if line.within is None else f"{line.within:.0%}"
    return (
        f"<tr><td>{escape(line.measure)}</td><td>{escape(line.meaning)}</td><td class='n {state}'>{line.mean:.3f}</td>"
        f"<td class=n>{line.spread:.3f}</td><td class=n>{line.worst:.3f}</td><td>{escape(line.worst_pair)}</td>"
        f"<td>{escape(line.limit)}</td><td class=n>{within}</td></tr>"
    )


def _matrix(report: Report) -> str:
    """Sources down, clips across."""
    clips = list(dict.fromkeys(pair.clip for pair in report.pairs))
    known = {(pair.source, pair.clip): pair.measures.get("identity_distance") for pair in report.pairs}
    head = "".join(f"<th>{escape(clip)}" for clip in clips)
    rows = "".join(
        f"<tr><td>{escape(source)}</td>"
        + "".join(f"<td class=n>{_number(known.get((source, clip)))}</td>" for clip in clips)
        + "</tr>"
        for source in dict.fromkeys(pair.source for pair in report.pairs)
    )
    return f"<table><tr><th>{head}</tr>{rows}</table>"


def _pair(pair: PairReport) -> str:
    picture = f'<p><img src="{quote(os.fsencode(pair.picture))}" loading=lazy alt="">' if pair.picture else ""
    values = ", ".join(f"{escape(key)} {_number(value)}" for key, value in pair.measures.items())
    plots = "".join(
        _plot(title, [pair.series[name] for name in names])
        for title, names in _PLOTS
        if all(name in pair.series for name in names)
    )
    return (
        f"<article><h3>{escape(pair.source)} on {escape(pair.clip)}</h3>"
        f"<p>{counted(pair.frames, 'frame')}: {values}</p>{plots}{picture}</article>"
    )


def _plot(title: str, curves: Sequence[Sequence[float]]) -> str:
    """Curves over the frames. Grey is the target, red the swap."""
    top = max((max(curve, default=0.0) for curve in curves), default=0.0) or 1.0
    lines = []
    colors = _COLORS if len(curves) > 1 else _COLORS[1:]
    for curve, color in zip(curves, colors, strict=True):
        step = _WIDTH / max(len(curve) - 1, 1)
        points = " ".join(f"{k * step:.1f},{_HEIGHT - value / top * _HEIGHT:.1f}" for k, value in enumerate(curve))
        lines.append(f'<polyline points="{points}" fill=none stroke="{color}" stroke-width=1.5 />')
    return (
        f"<figure><svg width={_WIDTH} height={_HEIGHT} viewBox='0 0 {_WIDTH} {_HEIGHT}'>{''.join(lines)}</svg>"
        f"<figcaption>{escape(title)}, 0 to {top:.2f}</figcaption></figure>"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
