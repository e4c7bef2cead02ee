{{ define "name" }}web{{ end }}
