# The bridge in a container: `docker build -t bridge .`, then
# `docker run -p 8000:8000 -v bridge:/var/lib/bridge -e BRIDGE_PUBLIC_URL=https://sso.example.com bridge`.

FROM python:3.13-slim-bookworm AS build
WORKDIR /srv/bridge
COPY dev requirements.lock requirements-dev.lock ./
RUN ./dev setup

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/bridge --shell /usr/sbin/nologin bridge \
    && install --directory --owner=bridge --group=bridge --mode=0700 /var/lib/bridge
WORKDIR /srv/bridge
COPY --from=build /srv/bridge/.venv .venv
COPY bridge bridge
COPY oidc oidc
COPY saml saml
COPY scim scim
COPY simulated simulated
COPY config config
ENV PATH=/srv/bridge/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BRIDGE_DATA_DIR=/var/lib/bridge
RUN python -m compileall -q bridge oidc saml scim simulated
USER 10001
VOLUME /var/lib/bridge
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["bridge", "serve", "--host", "0.0.0.0"]
