{{ define "old" }}{{ dig "data" "count" .Values.count (lookup "v1" "ConfigMap" .Release.Namespace "web") }}{{ end }}
