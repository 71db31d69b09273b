# Two images. `service` is the one that runs: no TensorFlow, no compiler, not root. `export` has TensorFlow, runs once a model.
#   docker build --target service -t sightline .
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/sightline
ENV PATH=/opt/sightline/bin:$PATH
WORKDIR /build
# The dependencies first: they change seldom, and their layer is kept.
COPY requirements-service.lock ./
RUN pip install --require-hashes --no-deps --requirement requirements-service.lock
COPY . .
RUN pip install --no-deps --no-build-isolation .

FROM build AS build-export
RUN pip install --require-hashes --no-deps --requirement requirements.lock

FROM python:${PYTHON}-slim-bookworm AS base
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin sightline \
    && install -d -o sightline -g sightline /models \
    && install -d -o sightline -g sightline -m 0700 /archive \
    && install -d -o sightline -g sightline -m 0700 /var/lib/sightline
ENV PATH=/opt/sightline/bin:$PATH PYTHONUNBUFFERED=1
USER sightline
WORKDIR /home/sightline

FROM base AS export
COPY --from=build-export /opt/sightline /opt/sightline
# An empty volume takes over the owner of the directory it covers, so that what is exported can be written.
VOLUME /models
ENTRYPOINT ["sightline", "export"]
CMD ["--if-changed", "--output", "/models/insulators"]

FROM base AS service
COPY --from=build /opt/sightline /opt/sightline
# Users, tokens and the audit; /archive is for what is kept. An empty volume takes over the owner of the folder it covers.
VOLUME /var/lib/sightline
# Where sightline.yaml is mounted: `docker compose exec service sightline user add …` finds it.
WORKDIR /etc/sightline
EXPOSE 8000
# Answers as long as the process does its work; whether the model server answers is /readyz, which is no reason to restart.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('SIGHTLINE_PORT', 8000)}/healthz\", timeout=2)"]
ENTRYPOINT ["sightline"]
CMD ["serve", "--config", "/etc/sightline/sightline.yaml"]
