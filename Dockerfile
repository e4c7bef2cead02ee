# Rectify with everything that it calls: git, Kyverno, Kustomize, Helm, and faiss-node compiled here.
# Runs as a user without privileges, on a read-only file system; /tmp and /var/lib/rectify are to be writable.
ARG NODE_IMAGE=docker.io/library/node:26-bookworm-slim
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm

FROM ${GO_IMAGE} AS tools
WORKDIR /src
COPY test/tools/build.sh test/tools/
COPY test/tools/kyverno/ test/tools/kyverno/
COPY test/tools/kustomize/ test/tools/kustomize/
COPY test/tools/helm/ test/tools/helm/
# The same pinned modules as on a developer's machine: their go.sum vouches for every byte.
RUN mkdir -p /out && RECTIFY_TOOLS=/cache bash test/tools/build.sh kyverno kustomize helm > /paths && xargs -I{} cp {} /out/ < /paths

FROM ${NODE_IMAGE} AS build
WORKDIR /app
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ libfaiss-dev libopenblas0-pthread \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src/ src/
COPY test/tools/build-faiss.ts test/tools/
# The build's directory is root's alone, and the process is not root: without the mode it finds no faiss-node.
RUN npm run -s build && RECTIFY_TOOLS=/faiss npm run -s build:faiss && chmod 755 /faiss/*
# The embedded Postgres is optional and stays out: in a cluster the database is one of your own.
RUN npm ci --no-audit --no-fund --omit=dev --omit=optional --ignore-scripts \
  && ln -s /faiss/*/faiss-node node_modules/faiss-node

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Rectify" \
  org.opencontainers.image.description="Turns a production alert into a reviewed, verified Git change." \
  org.opencontainers.image.licenses="MIT"
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git libgomp1 libopenblas0-pthread \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o 10001 -g 10001 /var/lib/rectify
COPY --from=tools /out/ /usr/local/bin/
COPY --from=build /faiss/ /faiss/
WORKDIR /app
COPY --from=build /app/package.json ./
COPY app.yml ./
COPY --from=build /app/node_modules/ node_modules/
COPY --from=build /app/dist/ dist/
ENV NODE_ENV=production HOME=/tmp RECTIFY_DATA=/var/lib/rectify
USER 10001:10001
EXPOSE 3000 9095
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["serve"]
