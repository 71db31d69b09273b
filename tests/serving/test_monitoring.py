"""serving.monitoring reads TensorFlow Serving's MonitoringConfig."""

from pathlib import Path

import pytest

from serving.errors import StartError
from serving.monitoring import MONITORING_CONFIG, prometheus_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", None),
        ("prometheus_config {}", None),
        ('prometheus_config { path: "/metrics" }', None),
        ("prometheus_config { enable: true }", "/monitoring/prometheus/metrics"),
        ('prometheus_config { enable: true path: "/metrics" }', "/metrics"),
    ],
)
def test_metrics_are_where_the_file_says(tmp_path: Path, text: str, path: str | None) -> None:
    """Nowhere unless enabled, and on TensorFlow Serving's own path unless the file names another."""
    (tmp_path / "monitoring.config").write_text(text)
    assert prometheus_path(tmp_path / "monitoring.config") == path


def test_the_shipped_config_is_read() -> None:
    """serving/monitoring.config enables the metrics where monitoring/prometheus.yml looks."""
    assert prometheus_path(MONITORING_CONFIG) == "/monitoring/prometheus/metrics"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prometheus_confg {}", ':1:1 : Message type "tensorflow.serving.MonitoringConfig" has no field named'),
        ('prometheus_config { enable: true path: "metrics" }', ": prometheus_config.path is 'metrics'; a path such as"),
        ('prometheus_config { enable: true path: "/m?a" }', ": prometheus_config.path is '/m?a'; a path such as"),
    ],
)
def test_wrong_files_are_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    """An unknown field, and a path that no request can have, are named with the flag and the file."""
    path = tmp_path / "monitoring.config"
    path.write_text(text)
    with pytest.raises(StartError) as error:
        prometheus_path(path)
    assert str(error.value).startswith(f"--monitoring_config_file {path}{says}")
    assert "\n" not in str(error.value)
