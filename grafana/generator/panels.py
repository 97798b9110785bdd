"""The kinds of panel that the dashboards are made of, in one style.

Every panel has a title, a description of one line, a unit, and a text for when there is nothing to
show. Figures of the moment are asked as instant queries: where the exporter is down they are gone
at the next scrape and the panel says so, instead of showing the last known value for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import barchart, bargauge, piechart, stat, table, timeseries
from grafana_foundation_sdk.builders import common as build_common
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus as build_prometheus
from grafana_foundation_sdk.models import common, prometheus
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import piechart as piechart_model

from grafana.generator.variables import DATASOURCE

USD = "currencyUSD"
COUNT = "short"
"""Thousands as K, millions as Mil."""
WHOLE = "locale"
"""All digits, in groups."""
SHARE = "percentunit"
SECONDS = "s"
BYTES = "bytes"
AGO = "dateTimeFromNow"
"""Of a moment in milliseconds."""

GREEN, ORANGE, RED, BLUE, PLAIN = "green", "orange", "red", "blue", "text"
NO_DATA = "No data: is the exporter up, and scraped?"
NO_USERS = "No users to tell apart"
"""Of a number of users, or of a mean: nobody was active, or no user is exposed."""

_NAMES = "ABCDEFGHIJ"
"""Of the queries of a panel."""
_SHORT_MODEL = {
    "regex": r"^(?:[a-z]+\.)?(.*?)(?:-\d{8})?(?:-v\d+(?::\d+)?)?$",
    "renamePattern": "$1",
}
"""anthropic.claude-sonnet-4-5-20250929-v1:0 is claude-sonnet-4-5 in a legend."""

Steps = Sequence[tuple[float | None, str]]
"""Values from which a colour holds; the first holds from the start and has None."""
UNCOLOURED: Steps = ((None, PLAIN),)
NEAR_AND_REACHED: Steps = ((None, GREEN), (0.8, ORANGE), (1, RED))
"""Of a ratio to a limit, as the alerts have it."""
IDLE_AND_DORMANT: Steps = ((None, GREEN), (7, ORANGE), (30, RED))
"""Of days that a user was idle, as the alerts have it."""
GOOD_AT_ONE: Steps = ((None, RED), (1, GREEN))
BAD_ABOVE_ZERO: Steps = ((None, GREEN), (1, RED))


@dataclass(frozen=True, slots=True)
class Series:
    """An expression and how its series are called, such as {{application}}."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A column of a table that names its rows: a label, and where a click on it leads."""

    label: str
    heading: str
    link: str = ""
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of figures: one expression, whose series have the keys of the table as labels."""

    heading: str
    expr: str
    unit: str
    decimals: int | None = None
    steps: Steps = ()
    most: float | None = None
    """Draw a bar beside the figure, full at this value."""
    width: int | None = None


Panel = (
    barchart.Panel | bargauge.Panel | piechart.Panel | stat.Panel | table.Panel | timeseries.Panel
)
"""Any of them, being built."""


def figure(
    title: str,
    description: str,
    expr: str,
    unit: str,
    *,
    decimals: int | None = None,
    steps: Steps = UNCOLOURED,
    words: dict[str, str] | None = None,
    no_data: str = NO_DATA,
    link: str = "",
) -> stat.Panel:
    """Return one large figure of this moment; `words` name values, such as 1 for up."""
    panel = stat.Panel().color_mode(_colour_mode(steps)).graph_mode(common.BigValueGraphMode.NONE)
    panel.text_mode(common.BigValueTextMode.VALUE).reduce_options(_last_value())
    _ask(panel, [_instant(expr)])
    _describe(panel, title, description, unit, decimals, no_data)
    panel.thresholds(_thresholds(steps))
    if words:
        panel.mappings([_names(words)])
    if link:
        panel.data_links([_link(link)])
    return panel


def gauges(
    title: str,
    description: str,
    series: Sequence[Series],
    unit: str,
    *,
    steps: Steps = UNCOLOURED,
    most: float | None = None,
    no_data: str = NO_DATA,
    link: str = "",
) -> bargauge.Panel:
    """Return a horizontal bar for each series, as it is at this moment; `most` ends the scale."""
    panel = bargauge.Panel().orientation(common.VizOrientation.HORIZONTAL)
    panel.display_mode(common.BarGaugeDisplayMode.BASIC).reduce_options(_last_value())
    panel.value_mode(common.BarGaugeValueMode.COLOR).show_unfilled(True)
    panel.name_placement(common.BarGaugeNamePlacement.LEFT).sizing(common.BarGaugeSizing.AUTO)
    panel.max_viz_height(28).min_viz_height(14)
    _ask(panel, [_instant(one.expr, one.legend) for one in series])
    _describe(panel, title, description, unit, None, no_data)
    panel.thresholds(_thresholds(steps)).min(0)
    if most is not None:
        panel.max(most)
    if link:
        panel.data_links([_link(link)])
    return panel


def lines(
    title: str,
    description: str,
    series: Sequence[Series],
    unit: str,
    *,
    decimals: int | None = None,
    interval: str = "",
    steps: Steps = (),
    at_least: float | None = None,
    no_data: str = NO_DATA,
) -> timeseries.Panel:
    """Return a line for each series, thresholds dashed; the axis reaches `at_least` so far."""
    is_alone = len(series) == 1 and "{{" not in series[0].legend
    panel = timeseries.Panel().draw_style(common.GraphDrawStyle.LINE).line_width(2)
    panel.fill_opacity(10 if is_alone else 0).show_points(common.VisibilityMode.NEVER)
    if steps:
        panel.thresholds(_thresholds(steps)).thresholds_style(_dashed())
    if at_least is not None:
        panel.axis_soft_max(at_least)
    return _over_time(panel, title, description, series, unit, decimals, interval, no_data)


def bars(
    title: str,
    description: str,
    series: Sequence[Series],
    unit: str,
    *,
    interval: str,
    decimals: int | None = None,
    no_data: str = NO_DATA,
) -> timeseries.Panel:
    """Return stacked bars, one for each interval, such as 1d; longer ones for a long range."""
    panel = timeseries.Panel().draw_style(common.GraphDrawStyle.BARS).line_width(0)
    panel.fill_opacity(85).bar_width_factor(0.85).bar_alignment(common.BarAlignment.AFTER)
    panel.stacking(build_common.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    return _over_time(panel, title, description, series, unit, decimals, interval, no_data)


def pattern(
    title: str,
    description: str,
    expr: str,
    label: str,
    heading: str,
    unit: str,
    *,
    words: dict[str, str] | None = None,
    no_data: str = NO_DATA,
) -> barchart.Panel:
    """Return a bar for each value of a label, in the order of its values; `words` name them."""
    panel = barchart.Panel().x_field(label)
    _ask(panel, [_instant(expr, table_format=True)])
    panel.show_value(common.VisibilityMode.NEVER).bar_width(0.85).fill_opacity(85)
    panel.legend(build_common.VizLegendOptions().show_legend(False).calcs([]))
    panel.with_transformation(_transformation("organize", _organized({"Time"}, {"Value": heading})))
    panel.with_transformation(_transformation("sortBy", {"sort": [{"field": label}]}))
    if words:
        named = model.DynamicConfigValue("mappings", [_names(words)])
        panel.override_by_name(label, [named])
    _describe(panel, title, description, unit, None, no_data)
    return panel


def shares(
    title: str,
    description: str,
    series: Sequence[Series],
    unit: str,
    *,
    decimals: int | None = None,
    no_data: str = NO_DATA,
) -> piechart.Panel:
    """Return a ring with the part of each series, as it is at this moment."""
    panel = piechart.Panel().pie_type(piechart_model.PieChartType.DONUT)
    panel.reduce_options(_last_value())
    panel.legend(
        piechart.PieChartLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.RIGHT)
        .values([piechart_model.PieChartLegendValues.VALUE])
    )
    _ask(panel, [_instant(one.expr, one.legend) for one in series])
    _shorten_models(panel, series)
    _describe(panel, title, description, unit, decimals, no_data)
    return panel


def listing(
    title: str,
    description: str,
    keys: Sequence[Key],
    columns: Sequence[Column],
    *,
    sort: str,
    descending: bool = True,
    hidden: Sequence[str] = (),
    no_data: str = NO_DATA,
) -> table.Panel:
    """Return a table: a row for each value of the keys, sorted by the column of that heading.

    Hidden labels tell rows apart, but have no column.
    """
    panel = table.Panel().cell_height(common.TableCellHeight.SM).show_header(True)
    panel.sort_by([build_common.TableSortByFieldState().display_name(sort).desc(descending)])
    _ask(panel, [_instant(column.expr, table_format=True) for column in columns])
    headings: dict[str, str] = {key.label: key.heading for key in keys}
    for name, column in zip(_NAMES, columns, strict=False):
        headings["Value" if len(columns) == 1 else f"Value #{name}"] = column.heading
    panel.with_transformation(_transformation("merge", {}))
    panel.with_transformation(_transformation("organize", _organized({"Time", *hidden}, headings)))
    for key in keys:
        panel.override_by_name(key.heading, _key_properties(key))
    for column in columns:
        panel.override_by_name(column.heading, _column_properties(column))
    _describe(panel, title, description, COUNT, None, no_data)
    return panel


def _over_time(
    panel: timeseries.Panel,
    title: str,
    description: str,
    series: Sequence[Series],
    unit: str,
    decimals: int | None,
    interval: str,
    no_data: str,
) -> timeseries.Panel:
    panel.legend(
        build_common.VizLegendOptions()
        .show_legend(len(series) > 1 or "{{" in series[0].legend)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs([])
    )
    panel.tooltip(
        build_common.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
        .hide_zeros(True)
    )
    panel.axis_soft_min(0)
    _ask(panel, [_range(one.expr, one.legend) for one in series])
    _shorten_models(panel, series)
    if interval:
        panel.interval(interval)
    _describe(panel, title, description, unit, decimals, no_data)
    return panel


def _describe(
    panel: Panel, title: str, description: str, unit: str, decimals: int | None, no_data: str
) -> None:
    panel.title(title).description(description).datasource(DATASOURCE).unit(unit)
    # Where the exporter is down, the reason may be another one than that there is nothing to show.
    panel.no_value(no_data if no_data == NO_DATA else f"{no_data}, or no data")
    if decimals is not None:
        panel.decimals(decimals)


def _ask(panel: Panel, queries: Iterable[build_prometheus.Dataquery]) -> None:
    for name, query in zip(_NAMES, queries, strict=False):
        panel.with_target(query.ref_id(name))


def _shorten_models(panel: Panel, series: Sequence[Series]) -> None:
    if any(one.legend == "{{model}}" for one in series):
        panel.with_transformation(_transformation("renameByRegex", _SHORT_MODEL))


def _instant(expr: str, legend: str = "", table_format: bool = False) -> build_prometheus.Dataquery:
    query = build_prometheus.Dataquery().expr(expr).legend_format(legend).instant()
    style = (
        prometheus.PromQueryFormat.TABLE if table_format else prometheus.PromQueryFormat.TIME_SERIES
    )
    return query.format(style).datasource(DATASOURCE)


def _range(expr: str, legend: str) -> build_prometheus.Dataquery:
    query = build_prometheus.Dataquery().expr(expr).legend_format(legend).range()
    return query.format(prometheus.PromQueryFormat.TIME_SERIES).datasource(DATASOURCE)


def _last_value() -> build_common.ReduceDataOptions:
    return build_common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields("")


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _names(words: dict[str, str]) -> model.ValueMap:
    return model.ValueMap(
        options={value: model.ValueMappingResult(text=text) for value, text in words.items()}
    )


def _dashed() -> build_common.GraphThresholdsStyleConfig:
    return build_common.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)


def _colour_mode(steps: Steps) -> common.BigValueColorMode:
    is_coloured = steps is not UNCOLOURED
    return common.BigValueColorMode.VALUE if is_coloured else common.BigValueColorMode.NONE


def _link(url: str, title: str = "Open") -> build.DashboardLink:
    return build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url)


def _transformation(name: str, options: dict[str, Any]) -> model.DataTransformerConfig:
    return model.DataTransformerConfig(id_val=name, options=options)


def _organized(hidden: Iterable[str], headings: dict[str, str]) -> dict[str, Any]:
    return {
        "excludeByName": dict.fromkeys(sorted(hidden), True),
        "indexByName": {name: place for place, name in enumerate(headings)},
        "renameByName": headings,
    }


def _key_properties(key: Key) -> list[model.DynamicConfigValue]:
    # An account's id is a name, though it looks like a number.
    properties = [
        model.DynamicConfigValue("unit", "string"),
        model.DynamicConfigValue("noValue", "-"),
        *_width(key.width),
    ]
    if key.link:
        link = {"title": "Open ${__value.text}", "url": key.link}
        properties.append(model.DynamicConfigValue("links", [link]))
    return properties


def _column_properties(column: Column) -> list[model.DynamicConfigValue]:
    properties = [
        model.DynamicConfigValue("unit", column.unit),
        model.DynamicConfigValue("noValue", "-"),
        *_width(column.width),
    ]
    if column.decimals is not None:
        properties.append(model.DynamicConfigValue("decimals", column.decimals))
    if column.steps:
        steps = [{"value": value, "color": colour} for value, colour in column.steps]
        config = {"mode": "absolute", "steps": steps}
        properties.append(model.DynamicConfigValue("thresholds", config))
    if column.most is not None:
        properties += _bar(column.most)
    elif column.steps:
        properties.append(model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    colour = {"mode": "thresholds"} if column.steps else {"mode": "fixed", "fixedColor": BLUE}
    properties.append(model.DynamicConfigValue("color", colour))
    return properties


def _bar(most: float) -> list[model.DynamicConfigValue]:
    options = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    return [
        model.DynamicConfigValue("custom.cellOptions", options),
        model.DynamicConfigValue("min", 0),
        model.DynamicConfigValue("max", most),
    ]


def _width(pixels: int | None) -> list[model.DynamicConfigValue]:
    return [] if pixels is None else [model.DynamicConfigValue("custom.width", pixels)]
