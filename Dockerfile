# The app as a container, also for a Docker Space: an ordinary user, port 7860, and every cache below the home folder.
# The telemetry switches are those of core/telemetry.py, for whatever else is run in the container.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 errata
USER errata
ENV HOME=/home/errata \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    HF_HOME=/home/errata/.cache/huggingface \
    GRADIO_TEMP_DIR=/home/errata/.cache/gradio \
    ORT_DISABLE_TELEMETRY=1 \
    RAY_USAGE_STATS_ENABLED=0 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HUB_DISABLE_TELEMETRY=1 \
    DO_NOT_TRACK=1 \
    NUMBA_CACHE_DIR=/home/errata/.cache/numba \
    ERRATA_CACHE=/home/errata/.cache/errata
WORKDIR /home/errata/app

# Packages first, so that a change of the code does not install them again.
COPY --chown=errata requirements.txt requirements.lock requirements-torch.lock ./
COPY --chown=errata scripts/_environment scripts/install scripts/
RUN bash scripts/install --locked

COPY --chown=errata . .
EXPOSE 7860
CMD ["bash", "scripts/app", "--host", "0.0.0.0", "--port", "7860"]
