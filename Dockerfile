# syntax=docker/dockerfile:1
# One image for every service; the command says which (docker-compose.yml). The Python is the one that the tests run on.
FROM python:3.11-slim-trixie AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/arrears && python -m venv /opt/tools
COPY requirements/base.lock requirements/build.lock requirements/
RUN /opt/arrears/bin/pip install --require-hashes -r requirements/base.lock \
    && /opt/tools/bin/pip install --require-hashes -r requirements/build.lock
COPY . .
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/arrears/bin/pip install --no-deps /wheels/*.whl

FROM python:3.11-slim-trixie
# Letters in Chinese need glyphs.
RUN apt-get update \
    && apt-get install -y --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home arrears
COPY --from=build /opt/arrears /opt/arrears
ENV PATH=/opt/arrears/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER arrears
ENTRYPOINT ["arrears"]
CMD ["--help"]
