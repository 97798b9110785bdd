"""Writes the dashboards of grafana/dashboards: `make dashboards`, or python -m grafana.generator.

    promql      expressions over the exporter's metrics
    panels      the kinds of panel that the dashboards are made of
    layout      rows that ask questions, panels placed on Grafana's grid
    variables   what the reader chooses at the top of a dashboard

Each dashboard is a module of its own; catalogue.py lists them. The JSON is committed, so that
nobody needs this to use it, and a test holds the two together.
"""
