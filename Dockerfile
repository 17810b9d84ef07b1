# One stage compiles, one gathers what runs, and the image takes only that.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without install scripts: they are for the tests (a Node, PostgreSQL servers).
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.build.json && cp src/report/page.css src/report/page.js dist/report/

FROM node:24-bookworm-slim AS app
WORKDIR /app
COPY package.json package-lock.json ./
# Type declarations and source maps are a third of the packages, and nothing reads them at run time.
RUN npm ci --omit=dev --ignore-scripts && \
    find node_modules -type f \( -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.map' \) -delete
COPY --from=build /app/dist ./dist
COPY db_schema.sql images.txt.example LICENSE ./
COPY samples/*.jpg samples/*.png samples/answers.json ./samples/
# A checkout under a strict umask must be readable for the image's user too.
RUN rm package-lock.json && find dist -name '*.d.ts' -delete && chmod -R a+rX . && chmod 755 dist/cli.js

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# Answers that could not be written wait in the volume, not in a container that is thrown away.
ENV XDG_STATE_HOME=/app/data/.state
COPY --from=app /app /app
RUN ln -s /app/dist/cli.js /usr/local/bin/plate-snapshot && \
    install -d -o node -g node /app/data && \
    ln -s ../samples /app/data/samples
USER node
# Relative paths in an images file, `.env` and the embedded database (./plate-snapshot-data) belong here.
WORKDIR /app/data
# The program itself, not npx or a shell: it is sent the signals.
ENTRYPOINT ["plate-snapshot"]
CMD ["--help"]
