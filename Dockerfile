# nbproxy in an image that holds the program, the C library it needs and the CA certificates: no shell, no package manager.
#
#   docker build --tag nbproxy:0.1.0 .
#
# RUST_IMAGE may be any Debian-based image with Rust, a C compiler and ca-certificates, for example from a mirror of your own.
ARG RUST_IMAGE=rust:1.95-slim-trixie

FROM ${RUST_IMAGE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build

# The dependencies, in a layer that only the manifests and the lock file change: empty sources stand in for ours.
COPY Cargo.toml Cargo.lock ./
COPY tests/fake-netbox tests/fake-netbox
RUN mkdir -p src benches tests/it \
    && touch src/lib.rs benches/{flow,hit,listing,siege}.rs tests/schedules.rs tests/it/main.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --bin nbproxy \
    && cargo clean --release --package nbproxy

COPY config config
COPY src src
RUN cargo build --release --locked --bin nbproxy

# The final file system: the program, the shared libraries the loader names, name look-up, CA certificates, one user.
RUN install -D -m 0755 target/release/nbproxy /rootfs/nbproxy \
    && ldd target/release/nbproxy | grep -o '/[^ ]*' | xargs -I '{}' install -D -m 0755 '{}' '/rootfs{}' \
    && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ca-certificates.crt \
    && echo 'hosts: files dns' > /rootfs/etc/nsswitch.conf \
    && echo 'nbproxy:x:65532:65532:nbproxy:/nonexistent:/nonexistent' > /rootfs/etc/passwd \
    && echo 'nbproxy:x:65532:' > /rootfs/etc/group
COPY LICENSE /rootfs/LICENSE

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="nbproxy" \
      org.opencontainers.image.description="A caching read-through proxy daemon for NetBox" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /rootfs/ /

# Loopback would be out of reach from outside the container. nbproxy still refuses to start
# until the settings say who may do what: [[clients]] or access.anonymous.
# The environment outranks a settings file, so a file's server.listen has no effect here.
ENV NBPROXY__SERVER__LISTEN=0.0.0.0:8080

USER 65532:65532
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/nbproxy", "healthcheck"]
ENTRYPOINT ["/nbproxy"]
