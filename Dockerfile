# The worker and the operator's command. Debian slim: Temporal's SDK has no build for musl.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund --loglevel=error
# The SDK carries its native library for five platforms, 30 to 50 MB each: this one's is enough.
RUN releases=node_modules/@temporalio/core-bridge/releases \
 && find "$releases" -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
 && test -f "$releases/$(uname -m)-unknown-linux-gnu/index.node"

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY src src
# The archive's folder is made here so that the volume over it belongs to the user of the worker.
RUN printf '#!/bin/sh\ncd /app && exec node --import tsx src/client.ts "$@"\n' > /usr/local/bin/passerelle \
 && chmod 755 /usr/local/bin/passerelle \
 && install -d -o node -g node -m 700 /srv/passerelle/data /srv/passerelle/data/archive
USER node
# Needs `monitoring.health: 9465` in passerelle.yaml.
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9465/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--import", "tsx", "src/worker.ts", "/srv/passerelle/passerelle.yaml"]
