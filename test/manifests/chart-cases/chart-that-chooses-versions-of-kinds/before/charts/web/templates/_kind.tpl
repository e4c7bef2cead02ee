{{ define "kind" }}{{ if .Capabilities.APIVersions.Has "apps/v1" }}apps/v1{{ else }}extensions/v1beta1{{ end }}{{ end }}
