#!/usr/bin/env bash
# Install the system tools some tests need, where that is possible: as root on Debian and Ubuntu. Elsewhere say what is
# missing and which tests will be skipped for it; under CI=true that is an error, because there nothing may be left out.
set -euo pipefail

missing_packages=() missing_tools=() packages_of_tool=()

# need TOOL TESTS PACKAGE... : the test before the call has just said whether TOOL is there.
need() {
    local tool=$1 tests=$2
    shift 2
    missing_tools+=("$tool ($tests)")
    missing_packages+=("$@")
    packages_of_tool+=("$*")
}

look() {
    missing_packages=() missing_tools=() packages_of_tool=()
    command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null ||
        need chromium "the page in a browser" chromium fonts-dejavu-core
    command -v firefox-esr firefox >/dev/null ||
        need firefox "the page in a browser of another make" firefox-esr
    compgen -G '/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib' >/dev/null &&
        compgen -G '/usr/lib/*/gstreamer-1.0/libgstrtp.so' >/dev/null &&
        compgen -G '/usr/lib/python3/dist-packages/gi/__init__.py' >/dev/null ||
        need gst-rtsp-server "everything over RTSP" python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good
    command -v gst-launch-1.0 >/dev/null &&
        compgen -G '/usr/lib/*/gstreamer-1.0/libgstrtspclientsink.so' >/dev/null &&
        compgen -G '/usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so' >/dev/null ||
        need gst-rtspclientsink "an encoder that pushes RTSP" gstreamer1.0-tools gstreamer1.0-rtsp python3-gi \
            gir1.2-gstreamer-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    compgen -G '/usr/lib/*/girepository-1.0/GstWebRTC-1.0.typelib' >/dev/null &&
        compgen -G '/usr/lib/*/gstreamer-1.0/libgstnice.so' >/dev/null &&
        compgen -G '/usr/lib/*/gstreamer-1.0/libgstvpx.so' >/dev/null ||
        need gst-webrtc "a foreign WHIP publisher and WHEP player" python3-gi gir1.2-gst-plugins-bad-1.0 \
            gstreamer1.0-plugins-bad gstreamer1.0-plugins-good gstreamer1.0-nice
    { command -v prometheus && command -v promtool; } >/dev/null ||
        need prometheus "metrics, alert rules" prometheus
    command -v turnserver >/dev/null ||
        need turnserver "viewers behind a relay" coturn
    command -v nginx >/dev/null ||
        need nginx "the page behind a proxy" nginx-light
    { compgen -G '/usr/lib/postgresql/*/bin/postgres' || command -v postgres; } >/dev/null ||
        need postgresql "the archive in PostgreSQL" postgresql
    command -v mosquitto /usr/sbin/mosquitto >/dev/null ||
        need mosquitto "what a broker is told over MQTT" mosquitto
    command -v ffmpeg >/dev/null ||
        need ffmpeg "cameras that send by RTMP, SRT, UDP and HLS" ffmpeg
}

can_install() { [[ $EUID == 0 ]] && command -v apt-get >/dev/null; }

apt_install() {
    echo "sightline: installing for the tests: ${missing_packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # Debian starts a service when it installs one; the tests want programs, not a Prometheus on port 9090.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    apt-get update -qq
    # One call a tool: where a package is not to be had (Chromium is a snap on Ubuntu), the others still are.
    local packages
    for packages in "${packages_of_tool[@]}"; do
        # shellcheck disable=SC2086  a list of words
        apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $packages ||
            echo "sightline: apt-get could not install $packages" >&2
    done
    if [[ -d /run/systemd/system ]]; then
        local package
        for package in prometheus coturn nginx postgresql mosquitto; do
            [[ " ${missing_packages[*]} " != *" $package "* ]] || systemctl disable --quiet "$package" || true
        done
    fi
}

look
[[ ${#missing_tools[@]} == 0 ]] && exit 0

if can_install; then
    apt_install </dev/null || echo "sightline: apt-get failed" >&2
    look
    [[ ${#missing_tools[@]} == 0 ]] && exit 0
fi

printf -v list '%s, ' "${missing_tools[@]}"
if [[ ${CI:-} == true ]]; then
    echo "sightline: missing under CI=true: ${list%, }" >&2
    exit 1
fi
echo "sightline: missing, so their tests will be skipped: ${list%, }. On Debian and Ubuntu: apt-get install ${missing_packages[*]}"
