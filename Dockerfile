# One image per service: docker build --build-arg SERVICE=health -t libra-health .
# SERVICE: health, vrrp, ipvs-writer, notifier, console or cli. Needs no BuildKit.
ARG PYTHON=python:3.11-slim-bookworm

# Our wheels, made once for all images. The build backends stay in this stage.
FROM ${PYTHON} AS wheels
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /build
COPY requirements/build.txt /src/requirements/
RUN /build/bin/pip install --quiet --require-hashes --only-binary :all: \
        -r /src/requirements/build.txt
COPY schemas /src/schemas
COPY libs /src/libs
COPY services /src/services
COPY cli /src/cli
RUN /build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels \
        /src/schemas /src/libs/* /src/services/* /src/cli

# The closure of one service: a virtual environment without pip.
FROM wheels AS closure
ARG SERVICE
COPY requirements/${SERVICE}.txt /closure.txt
RUN /build/bin/pip wheel --quiet --require-hashes --no-deps --no-build-isolation \
        --wheel-dir /closure -r /closure.txt
RUN program="libra-$SERVICE" \
    && if [ "$SERVICE" = cli ]; then program=libra; fi \
    && python3 -m venv --without-pip /opt/libra \
    && /build/bin/pip --python /opt/libra/bin/python install --quiet --no-deps --no-index \
        --find-links /wheels /closure/*.whl libra-schemas libra-runtime "libra-$SERVICE" \
    && printf '#!/bin/sh\nexec /opt/libra/bin/%s "$@"\n' "$program" >/opt/libra/bin/run \
    && chmod 755 /opt/libra/bin/run \
    && /build/bin/pip --python /opt/libra/bin/python check

FROM ${PYTHON}
ARG SERVICE
LABEL org.opencontainers.image.title="libra-${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=closure /opt/libra /opt/libra
ENV PATH=/opt/libra/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# nobody, in LibrA's group; docker-compose.yml names the user that each service needs.
USER 65534:64640
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/libra/bin/run"]
