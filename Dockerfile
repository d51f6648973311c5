# The image: Debian's Python and libraries, the packages of requirements.txt, the service; nothing else.
# docs/decisions/062-what-is-in-the-image.md tells why it is built like this, docs/operating.md how it is used.
#
#   DOCKER_BUILDKIT=1 docker build -t gallimg .
#
# A network with an index or a certificate authority of its own: --secret id=pip,src=pip.conf --secret id=ca,src=ca.pem,
# with `cert = /run/secrets/ca` in pip.conf. Neither gets into the image.
ARG BASE=debian:trixie-slim

# --- packages, from requirements.txt with its hashes --------------------------------------------------
# --build-arg REQUIREMENTS=-shadow adds what compares pictures with those of another program.
FROM ${BASE} AS packages
ARG REQUIREMENTS=
RUN apt-get update --quiet --quiet \
    && apt-get install --quiet --quiet --yes --no-install-recommends binutils ca-certificates python3-venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /venv
COPY requirements.txt requirements-shadow.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /venv/bin/pip install --quiet --no-compile --require-hashes -r requirements$REQUIREMENTS.txt
COPY deploy/container/prune.py .
# Compiled code that trusts its own name, not the time of its source: the image is the same every day.
RUN python3 prune.py /venv/lib/python3.13/site-packages ${REQUIREMENTS:+numpy} \
    && rm -rf /venv/bin/pip* /venv/bin/activate* /venv/include /venv/share \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib

# --- the system ---------------------------------------------------------------------------------------
FROM packages AS system
COPY deploy/container/rootfs.sh .
RUN sh rootfs.sh /rootfs \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /rootfs -p / /rootfs/usr/lib/python3.13

FROM packages AS service
WORKDIR /app
COPY LICENSE NOTICE manage.py reprocess ./
COPY gallimg_site gallimg_site
COPY media_jobs media_jobs
COPY templates templates
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash gallimg_site media_jobs

# --- the image ----------------------------------------------------------------------------------------
FROM scratch
LABEL org.opencontainers.image.title="gallimg" \
      org.opencontainers.image.description="Image uploads in, private originals and web derivatives out" \
      org.opencontainers.image.licenses="Apache-2.0"
# HOST: a container's loopback is reached by nobody. With it every call needs an API key or a token.
# MALLOC_ARENA_MAX: or each of the web process' many threads keeps freed memory for itself.
ENV PATH=/venv/bin:/usr/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    HOST=0.0.0.0 \
    GALLIMG_DATA=/data
COPY --from=system /rootfs /
COPY --from=packages /venv /venv
COPY --from=service /app /app
WORKDIR /app
USER 10001:10001
# Nothing but these is written: `docker run --read-only` works. Both are on a disk: pictures pass through /tmp.
VOLUME ["/data", "/tmp"]
EXPOSE 8080
# Of a web process. A container that runs `worker` listens on no port: start it with --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD wget -q -O /dev/null -T 4 "http://127.0.0.1:${PORT:-8080}/healthz"
# tini reaps whatever its child leaves, and passes signals on. -s: also where the platform has put an init before it.
ENTRYPOINT ["tini", "-s", "--", "python3", "manage.py"]
# Or: web, worker, housekeeping, migrate, reprocess (also /app/reprocess), and all other commands of manage.py.
CMD ["serve"]
