# syntax=docker/dockerfile:1

# --- packages, from requirements.txt with its hashes, into a virtual environment ---------------------
# --build-arg REQUIREMENTS=-shadow adds what compares pictures with those of another program.
FROM python:3.13-slim AS packages
ARG REQUIREMENTS=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt requirements-shadow.txt ./
RUN /venv/bin/pip install --quiet --require-hashes -r requirements$REQUIREMENTS.txt \
    && /venv/bin/pip uninstall --quiet --yes pip

# --- the service ------------------------------------------------------------------------------------
FROM python:3.13-slim
LABEL org.opencontainers.image.title="gallimg" \
      org.opencontainers.image.description="Image uploads in, private originals and web derivatives out" \
      org.opencontainers.image.licenses="Apache-2.0"
# HOST: a container's loopback is reached by nobody. With it every call needs an API key or a token.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    GALLIMG_DATA=/data
RUN groupadd --gid 10001 gallimg \
    && useradd --uid 10001 --gid gallimg --no-create-home --home-dir /data --shell /usr/sbin/nologin gallimg \
    && install -d -o gallimg -g gallimg -m 0700 /data
WORKDIR /app
COPY --from=packages /venv /venv
COPY LICENSE NOTICE manage.py reprocess ./
COPY gallimg_site gallimg_site
COPY media_jobs media_jobs
COPY templates templates
RUN python -m compileall -q gallimg_site media_jobs
# Nothing but /data and /tmp is written: `docker run --read-only --tmpfs /tmp -v gallimg:/data` works.
USER 10001:10001
VOLUME /data
EXPOSE 8080
# For `serve`. A container that runs `worker` listens on no port: start it with --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8080}/healthz\", timeout=4)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve"]
