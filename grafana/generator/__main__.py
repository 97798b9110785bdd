"""Writes every dashboard anew."""

from pathlib import Path

from grafana.generator.catalogue import DASHBOARDS, render

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"

for page in DASHBOARDS:
    (FOLDER / f"{page.uid}.json").write_text(render(page), encoding="utf-8")
