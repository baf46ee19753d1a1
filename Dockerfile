FROM python:3.12-slim AS build
WORKDIR /app
COPY requirements/app.txt requirements/app.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/app.txt
COPY . .
RUN /venv/bin/pybabel --quiet compile -D django -d locale \
 && STATIC_ROOT=/app/assets /venv/bin/python manage.py collectstatic --no-input \
 && mkdir -p /app/var

FROM python:3.12-slim
# Letters of names on certificates that our own fonts lack.
RUN apt-get update && apt-get install --no-install-recommends -y fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 botschaft
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build --chown=botschaft /app /app
# /app/var is the volume: pictures, the spool, the mark that tells an older backup.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 STATIC_ROOT=/app/assets VAR_DIR=/app/var
USER botschaft
EXPOSE 8000
CMD ["gunicorn", "advocacy.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--config", "python:advocacy.weblog"]
