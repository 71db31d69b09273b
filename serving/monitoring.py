"""Where the metrics are shown: the file TensorFlow Serving reads with --monitoring_config_file.

The message is tensorflow.serving.MonitoringConfig (config/monitoring_config.proto in tensorflow/serving).
"""

from pathlib import Path

from serving import text_proto
from serving.errors import StartError

MONITORING_CONFIG = Path(__file__).with_name("monitoring.config")
DEFAULT_PATH = "/monitoring/prometheus/metrics"

_FLAG = "--monitoring_config_file"
_MonitoringConfig = text_proto.message_class(
    "tensorflow.serving.MonitoringConfig", {"prometheus_config": {"enable": "bool", "path": "string"}}
)


def prometheus_path(path: Path) -> str | None:
    """The path of the metrics on the REST port; None where the file does not enable them.

    Raises:
        StartError: the file cannot be read, has an unknown field, or a path that no request can have.
    """
    config = text_proto.read(path, _MonitoringConfig, _FLAG).prometheus_config
    if not config.enable:
        return None
    asked = str(config.path or DEFAULT_PATH)
    if not asked.startswith("/") or not asked.isascii() or set(asked) & set("?# "):
        raise StartError(f"{_FLAG} {path}: prometheus_config.path is {asked!r}; a path such as {DEFAULT_PATH}")
    return asked
