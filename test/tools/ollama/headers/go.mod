module rectify.dev/test/tools/ollama/headers

go 1.24.0

// Only their headers are used: see ollama_headers in ../../build.sh.
require (
	github.com/gen2brain/malgo v0.11.24
	github.com/ollama/ollama v0.6.5
)
