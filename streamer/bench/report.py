"""The figures as a table for people."""

from typing import Any

ROWS = (
    ("start", "listening_seconds", "start to listening", "s", "≤ 2"),
    ("start", "resident_mb", "memory before the first stream", "MB", "≤ 150"),
    ("offers", "answered", "offers nobody can take, answered 4xx", "", "all"),
    ("offers", "answered_ms_p50", "… after, median", "ms", ""),
    ("offers", "answered_ms_max", "… at the most", "ms", "≤ 50"),
    ("access", "request_ms_p50", "a request where nobody is asked, median", "ms", ""),
    ("access", "added_ms_p50", "… what showing a token adds", "ms", "≤ 0.3"),
    ("access", "resident_mb", "memory before the first stream, with it", "MB", "≤ 170"),
    ("archive", "listening_seconds", "start to listening, with an archive", "s", "≤ 1.5"),
    ("archive", "resident_mb", "memory before the first stream, with one", "MB", "≤ 190"),
    ("archive", "sqlite_writes_per_second", "events into SQLite, one a transaction", "/s", ""),
    ("archive", "sqlite_writes_beside_readers", "… beside two readers that never pause", "/s", ""),
    ("archive", "sqlite_share_beside_readers", "… ÷ alone", "", ""),
    ("archive", "sqlite_page_ms_p50", "a page of its events, median", "ms", ""),
    ("archive", "sqlite_page_ms_p95", "… 95th percentile", "ms", "≤ 50"),
    ("archive", "sqlite_slowest_page_ms_p95", "… of the slowest kind of question", "ms", "≤ 50"),
    ("archive", "postgresql_writes_per_second", "events into PostgreSQL, one a transaction", "/s", ""),
    ("archive", "postgresql_writes_beside_readers", "… beside two readers that never pause", "/s", ""),
    ("archive", "postgresql_share_beside_readers", "… ÷ alone", "", ""),
    ("archive", "postgresql_page_ms_p50", "a page of its events, median", "ms", ""),
    ("archive", "postgresql_page_ms_p95", "… 95th percentile", "ms", "≤ 50"),
    ("archive", "postgresql_slowest_page_ms_p95", "… of the slowest kind of question", "ms", "≤ 50"),
    ("arrival", "rtsp_ms_p50", "due picture handed on whole: RTSP, median", "ms", "≤ 5"),
    ("arrival", "rtsp_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "rtsp_pushed_ms_p50", "… RTSP, pushed, median", "ms", "≤ 5"),
    ("arrival", "rtsp_pushed_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "rtmp_pushed_ms_p50", "… RTMP, pushed, median", "ms", "≤ 5"),
    ("arrival", "rtmp_pushed_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "flv_ms_p50", "… FLV over HTTP, median", "ms", "≤ 5"),
    ("arrival", "flv_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "mpegts_ms_p50", "… MPEG-TS over HTTP, median", "ms", ""),
    ("arrival", "mpegts_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "mpegts_udp_ms_p50", "… MPEG-TS by UDP, median", "ms", ""),
    ("arrival", "mpegts_udp_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "rtp_ms_p50", "… bare RTP by UDP, median", "ms", "≤ 5"),
    ("arrival", "rtp_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "srt_ms_p50", "… MPEG-TS by SRT, median", "ms", ""),
    ("arrival", "srt_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "whip_ms_p50", "… WebRTC (WHIP), median", "ms", "≤ 5"),
    ("arrival", "whip_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "hls_ms_p50", "… HLS, decoded and in its time, median", "ms", ""),
    ("arrival", "hls_ms_p95", "… … 95th percentile", "ms", ""),
    ("arrival", "file_ms_p50", "… a file, behind its own pace, median", "ms", "≤ 5"),
    ("arrival", "file_ms_p95", "… … 95th percentile", "ms", ""),
    ("viewers", "core_share_unwatched", "a 720p30 stream nobody watches", "core", ""),
    ("viewers", "core_share_one_viewer", "… with one WebRTC viewer", "core", ""),
    ("viewers", "core_share_per_added_viewer", "… each further viewer", "core", "≤ 0.03"),
    ("viewers", "frames_per_second_slowest_viewer", "… the slowest of them receives", "frames/s", ""),
    ("signing_in", "guesses_per_second", "wrong passwords from one address", "/s", ""),
    ("signing_in", "frames_per_second", "… a viewer meanwhile receives", "frames/s", ""),
    ("signing_in", "share_of_frames", "… ÷ when nobody guesses", "", "≥ 0.98"),
    ("signing_in", "event_loop_ms_p50", "… an answer of the event loop, median", "ms", ""),
    ("signing_in", "event_loop_ms_p99", "… 99th percentile", "ms", "≤ 50"),
    ("publishing", "event_ms_p50", "WebRTC publisher's picture to its event", "ms", ""),
    ("publishing", "event_ms_p95", "… 95th percentile", "ms", ""),
    ("publishing", "model_ms_mean", "… of which the model's call", "ms", ""),
    ("publishing", "event_ms_p50_beyond_model", "… median beyond the model", "ms", "≤ 93"),
    ("publishing", "stalls_seconds", "longest pause at a packet lost for good", "s", "≤ 1"),
    ("cameras", "back_seconds", "16 cameras rebooting together, all back", "s", "≤ 15"),
    ("cameras", "silence_noticed_seconds_p50", "a silent camera is noticed, median", "s", ""),
    ("cameras", "silence_noticed_seconds_max", "… the last of 16", "s", "≤ 5"),
    ("cameras", "size_change_seconds", "pause where an encoder changes size", "s", "≤ 1"),
    ("cameras", "codec_change_seconds", "… codec", "s", "≤ 5"),
    ("cameras", "doctor_seconds", "the doctor, a camera that works", "s", "≤ 10"),
    ("cameras", "doctor_seconds_refused", "… one that is not there", "s", ""),
    ("model_server", "images_per_second", "the model server, batches of 8", "images/s", ""),
    ("model_server", "model_alone_per_second", "… the SavedModel alone, likewise", "images/s", ""),
    ("model_server", "share_of_model_alone", "… served ÷ alone", "", "≥ 0.9"),
    ("model_server", "overhead_ms_p50", "a call of 8 x 320 x 320, model apart", "ms", "≤ 8"),
    ("model_server", "overhead_ms_p95", "… 95th percentile", "ms", ""),
    ("saturation", "results_per_second", "results at saturation", "/s", ""),
    ("saturation", "model_alone_per_second", "the model alone, before and after", "/s", ""),
    ("saturation", "model_alone_moved", "… moved meanwhile, as a share", "", "≤ 0.2"),
    ("saturation", "share_of_model_alone", "… results ÷ model alone", "", ""),
    ("saturation", "age_ms_p50", "age of results at saturation, median", "ms", ""),
    ("saturation", "age_ms_p99", "… 99th percentile", "ms", ""),
    ("saturation", "service_cpu_ms_per_result", "service's processor time a result", "ms", ""),
    ("fleet", "results_per_second", "8 cameras, a light model, every frame", "/s", ""),
    ("fleet", "model_alone_per_second", "the model alone, before and after", "/s", ""),
    ("fleet", "model_alone_moved", "… moved meanwhile, as a share", "", "≤ 0.2"),
    ("fleet", "share_of_model_alone", "… results ÷ model alone", "", "≥ 0.75"),
    ("fleet", "age_ms_p50", "… due picture to its event, median", "ms", "≤ 95"),
    ("fleet", "age_ms_p99", "… 99th percentile", "ms", "≤ 135"),
    ("fleet", "cpu_ms_per_result", "… service's processor time a result", "ms", ""),
    ("fleet", "sampled_results_per_second", "the same 8, 5 samples/s each", "/s", "40"),
    ("fleet", "sampled_age_ms_p50", "… due picture to its event, median", "ms", "≤ 60"),
    ("fleet", "sampled_age_ms_p99", "… 99th percentile", "ms", "≤ 85"),
    ("fleet", "sampled_cpu_ms_per_result", "… service's processor time a result", "ms", "≤ 4.5"),
    ("glass", "painted_ms_p50", "camera's picture due → painted, median", "ms", "≤ 110"),
    ("glass", "painted_ms_p95", "… 95th percentile", "ms", "≤ 130"),
    ("glass", "hold_ms", "… of which it was held for its boxes", "ms", ""),
    ("glass", "frames_per_second", "… painted", "frames/s", ""),
    ("glass", "ledger_ms", "… by the service's own ledger, median", "ms", ""),
    ("glass", "soonest_painted_ms_p50", "the camera's own video, soonest, median", "ms", "≤ 40"),
    ("glass", "soonest_painted_ms_p95", "… 95th percentile", "ms", "≤ 80"),
    ("glass", "exact_painted_ms_p50", "… with the model's own boxes, median", "ms", ""),
    ("glass", "exact_painted_ms_p95", "… 95th percentile", "ms", ""),
    ("glass", "mse_painted_ms_p50", "… by Media Source Extensions, median", "ms", "≤ 110"),
    ("glass", "mse_painted_ms_p95", "… 95th percentile", "ms", "≤ 160"),
    ("glass", "loaded_painted_ms_p50", "with one core taken by other work, median", "ms", "≤ 150"),
    ("glass", "loaded_painted_ms_p95", "… 95th percentile", "ms", "≤ 250"),
    ("glass", "loaded_hold_ms", "… of which it was held for its boxes", "ms", ""),
    ("glass", "loaded_frames_per_second", "… painted", "frames/s", ""),
    ("peers", "plain_results_per_second", "VideoCapture and a call, a process a camera", "/s", ""),
    ("peers", "plain_share_of_model_alone", "… results ÷ model alone", "", ""),
    ("peers", "plain_age_ms_p50", "… due picture to its answer, median", "ms", ""),
    ("peers", "plain_age_ms_p99", "… 99th percentile", "ms", ""),
    ("peers", "plain_sampled_results_per_second", "… 5 samples/s each", "/s", ""),
    ("peers", "plain_sampled_age_ms_p50", "… due picture to its answer, median", "ms", ""),
    ("peers", "plain_sampled_age_ms_p99", "… 99th percentile", "ms", ""),
    ("peers", "plain_sampled_cpu_ms_per_result", "… its processor time a result", "ms", ""),
    ("peers", "streamvision_results_per_second", "streamvision, one process for all", "/s", ""),
    ("peers", "streamvision_share_of_model_alone", "… results ÷ model alone", "", ""),
    ("peers", "streamvision_age_ms_p50", "… due picture to its answer, median", "ms", ""),
    ("peers", "streamvision_age_ms_p99", "… 99th percentile", "ms", ""),
    ("peers", "streamvision_sampled_results_per_second", "… 5 samples/s each", "/s", ""),
    ("peers", "streamvision_sampled_age_ms_p50", "… due picture to its answer, median", "ms", ""),
    ("peers", "streamvision_sampled_age_ms_p99", "… 99th percentile", "ms", ""),
    ("peers", "streamvision_sampled_cpu_ms_per_result", "… its processor time a result", "ms", ""),
    ("peers", "model_alone_per_second", "the model alone, before and after", "/s", ""),
    ("peers", "model_alone_moved", "… moved meanwhile, as a share", "", "≤ 0.2"),
    ("recordings", "core_share_not_recorded", "a 720p30 stream that is not recorded", "core", ""),
    ("recordings", "core_share_added", "… what recording it adds", "core", "≤ 0.01"),
    ("recordings", "ratio_recorded", "… recorded ÷ not recorded", "", ""),
    ("recordings", "memory_added_mb", "… memory that recording adds", "MB", "≤ 20"),
    ("recordings", "age_ratio", "… age of its pictures, recorded ÷ not", "", "≤ 1.05"),
    ("recordings", "streams", "streams recorded at once", "", ""),
    ("recordings", "pictures_came", "… pictures that came", "", ""),
    ("recordings", "pictures_dropped", "… of which were lost", "", "0"),
    ("recordings", "pictures_in_files", "… which FFmpeg finds in the files", "", "as many"),
    ("recordings", "core_share_all", "… the service meanwhile", "core", ""),
    ("recordings", "kills", "recorded and killed, all files play after", "times", ""),
    ("recordings", "lost_seconds", "… video missing before each kill", "s", "≤ 2"),
    ("cluster", "core_share_without", "30 small streams, without cluster", "core", ""),
    ("cluster", "core_share_added", "… what the section adds", "core", "≤ 0.02"),
    ("cluster", "core_share_ratio", "… with it ÷ without", "", ""),
    ("cluster", "memory_without_mb", "… memory, without it", "MB", ""),
    ("cluster", "memory_added_mb", "… what the section adds", "MB", "≤ 15"),
    ("cluster", "memory_ratio", "… with it ÷ without", "", ""),
    ("tracks", "motion_ms_p50", "a camera's motion, a frame of 720p, median", "ms", "≤ 1.2"),
    ("tracks", "motion_share_of_decoding", "… ÷ decoding it", "", ""),
    ("tracks", "motion_unwatched_ms_mean", "… while nobody watches, mean", "ms", ""),
    ("tracks", "sample_ms_p50_3", "tracks of a sample with 3 boxes, median", "ms", ""),
    ("tracks", "sample_ms_p50_20", "… with 20", "ms", ""),
    ("tracks", "sample_ms_p50_100", "… with 100", "ms", "≤ 1"),
    ("tracks", "frame_ms_p50_3", "places in a frame, of 3 boxes, median", "ms", ""),
    ("tracks", "frame_ms_p50_20", "… of 20", "ms", ""),
    ("tracks", "frame_ms_p50_100", "… of 100", "ms", ""),
)

PARTS = tuple(dict.fromkeys(part for part, *_ in ROWS))
"""What can be measured by itself, in this order."""


def table(figures: dict[str, dict[str, Any]]) -> str:
    """One line a figure that was measured: what, how much, and what was promised.

    Where another checkout was measured in turn: its figure, and this one's as a share of it. What is not to be quoted
    is marked, and why is said at the end.
    """
    lines = []
    for part, key, name, unit, promise in ROWS:
        found = figures.get(part, {})
        if key not in found:
            continue
        line = f"{name:<42} {_shown(found[key]):>16} {unit:<9} {promise:<10}{_beside(found, key)}"
        lines.append(line.rstrip() + ("  !" if "void" in found else ""))
    lines += [f"! {part}: not to be quoted: {found['void']}" for part, found in figures.items() if "void" in found]
    return "\n".join(lines)


def _beside(found: dict[str, Any], key: str) -> str:
    """The other checkout's figure, if there is one."""
    if key not in found.get("other", {}):
        return ""
    ratio = found["ratio"].get(key)
    return f" other {_shown(found['other'][key])}" + ("" if ratio is None else f", × {ratio:g}")


def _shown(value: Any) -> str:
    """A figure, or each of several; of many, the least and the greatest."""
    if not isinstance(value, list):
        return str(value)
    return ", ".join(map(str, value)) if len(value) <= 3 else f"{min(value)} to {max(value)}"
