"""monitoring/: what it names is what the service exports, and Prometheus accepts all of it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from aiohttp.test_utils import TestServer

from serving.metrics import Metrics as ServerMetrics
from streamer import config
from streamer.clustering import Clustering
from streamer.control.publishing_rights import PublishingRights
from streamer.control.seats import SeatLimits, Seats
from streamer.control.streams import Streams
from streamer.entrance import Entrance
from streamer.http.connections import ConnectionLimits, Connections
from streamer.http.events import Events
from streamer.http.metrics import Metrics
from streamer.http.served_certificate import ServedCertificate
from streamer.keeping import Keeping
from streamer.service import Service
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import monotonic
from streamer.values.stages import STAGES
from streamer.webrtc.publisher import Publisher
from tests.peers.certificates import make_certificate, server_files
from tests.peers.process import free_port
from tests.peers.prometheus import Prometheus, run_prometheus
from tests.peers.required import REPOSITORY, requires
from tests.stream.passages import ON_TIME, follow, the_answer, the_frame

MONITORING = REPOSITORY / "monitoring"
GRAFANA = MONITORING / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RULES = ("alerts.yml", "sums.yml")
OF_EACH = {"stream", "model", "outlet"}
"""Labels of what is the same at all replicas, whoever runs it."""
METRIC = re.compile(r"\b(sightline_\w+)(?:\{([^}]*)\})?")
VARIABLE = re.compile(r"\$(\w+)")
SERVER_METRIC = re.compile(r'{__name__="(:tensorflow:[\w:]+)"([^}]*)}')
SERVER_ROW = re.compile(r"^\| `(:tensorflow:[\w:]+)(?:{([\w,]+)})?` \| (\w+) \|", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": (), "gauge": ()}


def exported() -> dict[str, str]:
    """Give what the service exports, name to type; the one place that says so."""
    viewers, nobody = Seats(SeatLimits(1, 1, 1)), PublishingRights((), 1)
    streams = Streams(seats=viewers, publishing_rights=nobody, make_publisher=_make_nothing, on_restart=lambda: None)
    access = Entrance(config.parse(None), None, clock=monotonic).parts
    connections = Connections(ConnectionLimits(8, 8), monotonic)
    metrics = Metrics(streams, (), Events(), connections, access)
    with TemporaryDirectory() as folder:
        metrics.certificate = ServedCertificate(*server_files(make_certificate("localhost"), Path(folder)))
        archive = {"path": folder, "storage": {"url": "s3://cameras/one", "access_key": "a", "secret_key": "b"}}
        metrics.archive = Keeping(config.parse({"archive": archive}), None, clock=monotonic).archive
    cluster = config.parse({"cluster": {"nats": "nats://h", "url": "http://h", "key": "k" * 32}}).cluster
    assert cluster is not None
    metrics.cluster = Clustering(cluster, clock=monotonic)
    families = metrics.registry.collect()
    return {f"{family.name}_total" if family.type == "counter" else family.name: family.type for family in families}


def _make_nothing(_: str, __: Callable[[Publisher], None]) -> tuple[Publisher, Pipeline]:
    raise NotImplementedError


def documented() -> dict[str, set[str]]:
    """Give what docs/monitoring.md lists, name to labels."""
    text = (REPOSITORY / "docs" / "monitoring.md").read_text()
    rows = re.findall(r"^\| `(sightline_\w+)(?:\{([\w,]+)\})?` \|", text, re.MULTILINE)
    return {name: set(labels.split(",")) - {""} for name, labels in rows}


def board(path: Path) -> dict[str, Any]:
    """Give a dashboard."""
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def panels(path: Path) -> list[dict[str, Any]]:
    """Give a dashboard's panels, rows left out."""
    return [panel for panel in board(path)["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Give every PromQL expression with the name of the panel, alert or sum it belongs to."""
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield panel["title"], target["expr"]
    for file in RULES:
        for group in yaml.safe_load((MONITORING / file).read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("alert") or rule["record"], rule["expr"]


def test_documentation_lists_what_is_exported() -> None:
    """docs/monitoring.md has a row for every metric the service exports, and for no other."""
    assert documented().keys() == exported().keys()


def test_documentation_lists_the_types() -> None:
    """docs/monitoring.md gives each metric the type it is exported with."""
    text = (REPOSITORY / "docs" / "monitoring.md").read_text()
    assert dict(re.findall(r"^\| `(sightline_\w+)[^|]*` \| (\w+) \|", text, re.MULTILINE)) == exported()


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_expressions_name_what_is_exported(where: str, expression: str) -> None:
    """A panel or an alert uses metrics the service exports, by labels they have."""
    names = {name + suffix: name for name, kind in exported().items() for suffix in ("", *SUFFIXES[kind])}
    for used, matchers in METRIC.findall(expression):
        assert used in names, f"{where} uses {used}, which nothing exports"
        labels = set(re.findall(r"(\w+)\s*[=!]~?", matchers)) - {"job", "instance"}
        assert labels <= documented()[names[used]], f"{where}: {used} has no label {labels}"


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_replicas_are_put_together(where: str, expression: str) -> None:
    """What is asked of a stream, a model or an outlet is put together over replicas, each of which has series of it."""
    kinds = "|".join(re.escape(name) for name in documented() if documented()[name] & OF_EACH)
    for match in re.finditer(rf"\b({kinds})(_bucket|_sum|_count)?\b", expression):
        before = expression[: match.start()]
        depths = [before[at:].count("(") - before[at:].count(")") for at in _aggregations(before)]
        assert any(depth > 0 for depth in depths), f"{where}: {match[0]} is one series a replica"


def _aggregations(text: str) -> list[int]:
    """Where aggregations without `instance` begin their arguments."""
    found = re.finditer(r"\b(?:sum|max|min|count)(?: by \(([\w, ]*)\))? ?(?=\()", text)
    return [match.end() for match in found if "instance" not in (match[1] or "")]


def test_documentation_lists_what_the_model_server_exports() -> None:
    """docs/monitoring.md has a row, with the type, for every metric of the embedded server, and for no other."""
    rows = SERVER_ROW.findall((REPOSITORY / "docs" / "monitoring.md").read_text())
    exported_there = dict(re.findall(r"^# TYPE (\S+) (\w+)$", ServerMetrics().text(), re.MULTILINE))
    assert {name: kind for name, _, kind in rows} == exported_there


def test_expressions_name_what_the_model_server_exports() -> None:
    """A panel or an alert uses metrics of the model server by names and labels they have; no colon stands bare."""
    rows = SERVER_ROW.findall((REPOSITORY / "docs" / "monitoring.md").read_text())
    labels_of = {name + suffix: labels.split(",") for name, labels, kind in rows for suffix in ("", *SUFFIXES[kind])}
    for where, expression in expressions():
        used = SERVER_METRIC.findall(expression)
        assert len(used) == expression.count(":tensorflow:"), where
        for name, matchers in used:
            assert name in labels_of, f"{where} uses {name}, which nothing exports"
            assert set(re.findall(r"(\w+)\s*[=!]~?", matchers)) <= set(labels_of[name]), where


each_board = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


@each_board
def test_dashboard_panels_are_told_apart(path: Path) -> None:
    """Every panel has its own id and title, an explanation, and a place no other panel has."""
    found = panels(path)
    assert len({panel["title"] for panel in found}) == len(found)
    assert len({panel["id"] for panel in board(path)["panels"]}) == len(board(path)["panels"])
    assert all(panel["description"] for panel in found)
    cells = [
        (x, y)
        for panel in found
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


@each_board
def test_dashboard_uses_the_provisioned_source(path: Path) -> None:
    """The dashboard's default data source is the one Grafana is given."""
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    variables = {variable["name"]: variable for variable in board(path)["templating"]["list"]}
    assert variables["datasource"]["current"]["value"] == source["uid"]


@each_board
def test_dashboard_asks_by_variables_it_has(path: Path) -> None:
    """A panel names no variable but the board's own and Grafana's."""
    used = {name for panel in panels(path) for target in panel["targets"] for name in VARIABLE.findall(target["expr"])}
    assert used - {"__range", "__rate_interval"} <= {each["name"] for each in board(path)["templating"]["list"]}


@each_board
def test_dashboard_asks_for_values_that_are_exported(path: Path) -> None:
    """What a variable lists is the values of a label that its metric has."""
    for variable in board(path)["templating"]["list"]:
        if variable["type"] == "query":
            [(metric, label)] = re.findall(r"^label_values\((\w+)(?:{.*})?, (\w+)\)$", variable["definition"])
            assert variable["query"]["query"] == variable["definition"]
            assert label in documented()[metric]


def test_dashboards_lead_to_each_other() -> None:
    """From each board one click leads to every other."""
    found = {board(path)["uid"]: {link["url"] for link in board(path)["links"]} for path in DASHBOARDS}
    assert len(found) == len(DASHBOARDS)
    for uid, urls in found.items():
        assert urls == {f"/d/{other}" for other in found.keys() - {uid}}


def test_dashboards_mark_alerts_that_there_are() -> None:
    """What a board draws over its panels is alerts, each pattern of which is the name of one at least."""
    alerts = re.findall(r"- alert: (\w+)", (MONITORING / "alerts.yml").read_text())
    for path in DASHBOARDS:
        for annotation in board(path)["annotations"]["list"]:
            [patterns] = re.findall(r'alertname=~"([^"]+)"', annotation["expr"])
            for pattern in patterns.split("|"):
                assert any(re.fullmatch(pattern, alert) for alert in alerts), pattern


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "config", "prometheus.cluster.yml"),
        ("check", "rules", *RULES),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content(arguments: tuple[str, ...]) -> None:
    """Prometheus' own tool accepts the configuration and the rules, and each alert fires as its test says."""
    requires("promtool")
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    """Each alert is seen firing in alerts_test.yml."""
    tested = (MONITORING / "alerts_test.yml").read_text()
    alerts = re.findall(r"- alert: (\w+)", (MONITORING / "alerts.yml").read_text())
    assert [alert for alert in alerts if f'alertname="{alert}"' not in tested] == []


async def test_prometheus_reads_the_service(tmp_path: Path) -> None:
    """Prometheus, as configured here, scrapes a running service and evaluates every rule and every panel."""
    settings = config.parse(
        {
            "serving": {"address": f"127.0.0.1:{free_port()}"},
            "streams": {"gone": {"url": f"rtsp://127.0.0.1:{free_port()}/gone"}},
        }
    )
    service = Service(settings)
    async with service.run() as application, TestServer(application) as server:
        ours = (MONITORING / "prometheus.yml").read_text()
        assert "127.0.0.1:8000" in ours
        here = ours.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}").replace("_interval: 5s", "_interval: 1s")
        (tmp_path / "prometheus.yml").write_text(here)
        for file in RULES:
            (tmp_path / file).write_text((MONITORING / file).read_text())
        async with run_prometheus(tmp_path / "prometheus.yml") as prometheus:
            assert await prometheus.wait_for('up{job="sightline"} == 1')
            states = await prometheus.wait_for("sightline_stream_state")
            assert sorted(labels["state"] for labels, _ in states) == [
                "connecting",
                "live",
                "offline",
                "paused",
                "stale",
            ]
            assert sum(value for _, value in states) == 1
            for _, expression in expressions():
                await prometheus.query(_filled(expression))
            await _shows_where_the_time_goes(service, prometheus)
            rules = [rule for group in (await prometheus.get("rules"))["groups"] for rule in group["rules"]]
    assert [rule["lastError"] for rule in rules if rule["health"] == "err"] == []
    assert len(rules) == sum(len(re.findall(r"- (?:alert|record):", (MONITORING / file).read_text())) for file in RULES)


async def _shows_where_the_time_goes(service: Service, prometheus: Prometheus) -> None:
    """Every panel of the board of latency shows something, and a stack of stages is as high as the whole way."""
    pipeline = service.streams.get("gone")
    assert pipeline is not None
    for scrape in range(1, 3):
        for number in range(20 * (scrape - 1), 20 * scrape):
            frame = replace(the_frame(number, monotonic()), camera_age=0.005)
            follow(pipeline.ledger, frame)
            pipeline.ledger.disbelieved("late")
            service.metrics.answered(replace(the_answer(frame, 0.016, 0.057), stream="gone"))
        assert await prometheus.wait_for(f"sightline_glass_seconds_count == {20 * scrape}")
    shown = {
        panel["title"]: [
            each for target in panel["targets"] for each in await prometheus.query(_filled(target["expr"]))
        ]
        for panel in panels(GRAFANA / "dashboards/sightline-latency.json")
    }
    assert [title for title, series in shown.items() if not any(value > 0 for _, value in series)] == []
    for way, length in (("the screen", 8), ("viewers", 6), ("the answer", 3)):
        stages = {labels["stage"]: value for labels, value in shown[f"Where the time goes, to {way}"]}
        assert stages == pytest.approx({stage: ON_TIME[stage] / 1000 for stage in STAGES[:length]})
    mean = "sum(rate(sightline_glass_seconds_sum[20s])) / sum(rate(sightline_glass_seconds_count[20s]))"
    [(_, whole)] = await prometheus.query(mean)
    assert sum(value for _, value in shown["Where the time goes, to the screen"]) == pytest.approx(whole, rel=0.05)


def _filled(expression: str) -> str:
    """Put in what Grafana puts in for its variables."""
    expression = expression.replace("$__rate_interval", "20s").replace("$__range", "30m")
    return VARIABLE.sub(".*", expression)
