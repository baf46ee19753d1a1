# The image of all processes: web, worker, beat, and the commands of an administrator.
# Another image with Python 3.11 or later may stand in for the base: --build-arg PYTHON_IMAGE=…
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /app
COPY requirements/app.txt requirements/app.txt
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/app.txt
COPY . .
RUN /venv/bin/pybabel --quiet compile -D django -d locale \
 && STATIC_ROOT=/app/assets /venv/bin/python manage.py collectstatic --no-input \
 && /venv/bin/python -m compileall -q advocacy ambassadors campaigns curation integrations people reception \
 && /venv/bin/pip uninstall --yes --quiet pip \
 && mkdir -p /app/var

FROM ${PYTHON_IMAGE}
# What Debian has mended since the base was made; letters of names on certificates that our own
# fonts lack; pg_dump and pg_restore for backups.
RUN apt-get update \
 && apt-get upgrade -y \
 && apt-get install --no-install-recommends -y fonts-dejavu-core postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin botschaft
WORKDIR /app
COPY --from=build /venv /venv
# The code belongs to root; only /app/var, the volume, can be written to: pictures, the spool, the
# mark that tells an older backup.
COPY --from=build /app /app
RUN chown botschaft /app/var
# Two heaps for all threads instead of one each: what threads leave half empty grows for days.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/app/assets VAR_DIR=/app/var MALLOC_ARENA_MAX=2
USER 10001
EXPOSE 8000
CMD ["gunicorn", "advocacy.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/tmp", "--config", "python:advocacy.weblog"]
