# The same package list and asset script as `make deps`.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY scripts scripts
RUN scripts/packages.sh build run && HEYAN_ASSETS=/assets scripts/assets.sh
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=container
RUN make build VERSION="$VERSION"

FROM debian:bookworm-slim
COPY scripts/packages.sh scripts/packages.tsv /tmp/scripts/
RUN /tmp/scripts/packages.sh run && rm -rf /tmp/scripts /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/heyan --create-home heyan
COPY --from=build /assets /usr/share/heyan/assets
COPY --from=build /src/bin/heyan /usr/local/bin/heyan
COPY LICENSE NOTICE /usr/share/doc/heyan/
USER heyan
VOLUME /var/lib/heyan
EXPOSE 8080
HEALTHCHECK CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"]
# Keys travel in the clear without TLS: publish the port to this machine alone,
#   docker run -p 127.0.0.1:8080:8080 -v heyan:/var/lib/heyan heyan
ENTRYPOINT ["/usr/local/bin/heyan"]
CMD ["serve", "--data", "/var/lib/heyan", "--listen", "0.0.0.0:8080"]
