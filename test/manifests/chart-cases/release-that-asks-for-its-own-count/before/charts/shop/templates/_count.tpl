{{- define "count" -}}{{- $now := lookup "apps/v1" "Deployment" .Release.Namespace "web" -}}{{- if $now -}}{{ $now.spec.replicas }}{{- else -}}{{ .Values.count }}{{- end -}}{{- end -}}
