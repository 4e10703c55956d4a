#!/bin/sh
# Makes gen/ from the protos: one Go package for each of their packages. The protos name no Go paths, so each gets one here.
set -eu
cd "$(dirname "$0")"
mkdir -p bin gen
go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
protos=$(cd ../../../proto && find taizhang -name '*.proto' -not -path '*/state/*')
# Options and common values import each other's files, which Go packages cannot do: they become one.
places=,Mtaizhang/options.proto=taizhang/client/gen/taizhang/common/v1
for proto in $(echo "$protos" | grep -v options.proto); do places="$places,M$proto=taizhang/client/gen/$(dirname "$proto")"; done
# shellcheck disable=SC2086
PATH=$PWD/bin:$PATH protoc -I ../../../proto --go_out=. --go-grpc_out=. \
  --go_opt="module=taizhang/client$places" --go-grpc_opt="module=taizhang/client$places" $protos
