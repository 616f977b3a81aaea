{{/* Of all objects; with "-runner-" and a pool's name behind it, it still fits a label. */}}
{{- define "nextscale.name" -}}
{{- $name := ternary .Release.Name (printf "%s-nextscale" .Release.Name) (contains "nextscale" .Release.Name) -}}
{{- default $name .Values.fullnameOverride | trunc 22 | trimSuffix "-" -}}
{{- end -}}

{{/* What selectors have: it never changes. Takes root, component and perhaps pool. */}}
{{- define "nextscale.selector" -}}
app.kubernetes.io/name: nextscale
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .pool }}
nextscale.io/pool: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "nextscale.labels" -}}
{{ include "nextscale.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* name, namespace and labels. Takes what labels take, and suffix. */}}
{{- define "nextscale.metadata" -}}
name: {{ include "nextscale.name" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "nextscale.labels" . | nindent 2 }}
{{- end -}}

{{/* Takes root and a list of images: what the last of them says counts. */}}
{{- define "nextscale.image" -}}
{{- $image := dict -}}
{{- range .images -}}
{{- range $name, $value := . -}}
{{- if $value -}}{{- $_ := set $image $name $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* A pool with all it did not say. Takes root and pool. */}}
{{- define "nextscale.pool" -}}
{{- mergeOverwrite (deepCopy .root.Values.poolDefaults) .pool | toYaml -}}
{{- end -}}

{{/* The number of the port that a URL names or implies. */}}
{{- define "nextscale.portOf" -}}
{{- $url := urlParse . -}}
{{- $named := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- default (ternary "443" "80" (eq $url.scheme "https")) $named -}}
{{- end -}}
