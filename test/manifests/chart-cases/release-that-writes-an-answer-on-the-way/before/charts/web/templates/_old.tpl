{{ define "old" }}{{ $_ := set .Values "count" (dig "data" "count" .Values.count (lookup "v1" "ConfigMap" .Release.Namespace "web")) }}{{ end }}
