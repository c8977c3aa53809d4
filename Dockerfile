# A static binary in an empty image. The embedded ClickHouse (libchdb) is not in it: it is for demo and up, on a developer's machine.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /livemeter ./cmd/livemeter

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /livemeter /livemeter
USER nonroot
EXPOSE 8080 9464
ENTRYPOINT ["/livemeter"]
CMD ["run"]
