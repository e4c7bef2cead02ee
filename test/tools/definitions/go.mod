// Not built: only the resource definitions in these modules are read (`go mod download`). `go mod tidy` would empty it.
module rectify.dev/test/tools/definitions

go 1.26.6

require (
	github.com/fluxcd/helm-controller v1.6.3
	github.com/fluxcd/source-controller v1.9.6
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
