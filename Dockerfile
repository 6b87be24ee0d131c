# recado-server in a container, with the client beside it for the health check and for `docker exec`.
#
#   docker build -t recado .
#   docker run -d --name recado -p 4222:4222 -v recado:/var/lib/recado -e RECADO_TOKEN=… recado
#
# Without RECADO_TOKEN, or another configuration in place of /etc/recado/recado-server.conf, it refuses to start: what is
# published on a port should know who comes in. docs/install.md tells more.

ARG RUST=1-slim-bookworm
ARG DEBIAN=bookworm-slim

FROM rust:${RUST} AS build
WORKDIR /src
COPY . .
# The caches belong to the builder, so the programs are taken out of them at the end.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin recado-server --bin recado \
    && mkdir /programs \
    && cp target/release/recado-server target/release/recado /programs/ \
    && strip /programs/*

FROM debian:${DEBIAN}
# Certificate authorities: for account resolvers and clients that speak TLS to the world.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10222 recado \
    && useradd --system --uid 10222 --gid recado --no-create-home --home-dir /var/lib/recado recado \
    && install -d -m 0700 -o recado -g recado /var/lib/recado
COPY --from=build /programs/ /usr/bin/
COPY packaging/docker/recado-server.conf /etc/recado/recado-server.conf
ENV STATE_DIRECTORY=/var/lib/recado
VOLUME /var/lib/recado
USER recado
# Clients; monitoring and WebSocket, if the configuration turns them on.
EXPOSE 4222 8222 8443
STOPSIGNAL SIGTERM
# RECADO_TOKEN, NATS_URL, NATS_CREDS and so on tell the client how to get in, as everywhere.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/usr/bin/recado", "ping", "--quiet", "--count", "1", "--timeout", "3s"]
ENTRYPOINT ["/usr/bin/recado-server"]
CMD ["-c", "/etc/recado/recado-server.conf"]
