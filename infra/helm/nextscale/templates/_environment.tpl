{{/* Maps of variables, as YAML. Secrets are in files, and variables name these. */}}

{{- define "nextscale.env.redis" -}}
{{- with .Values.redis }}
REDIS_PREFIX: {{ .prefix | quote }}
{{- if .existingSecret }}
REDIS_URL_FILE: /secrets/redis/url
{{- end }}
{{- if .url }}
REDIS_URL: {{ .url | quote }}
{{- end }}
{{- if .ca.existingSecret }}
REDIS_CA_FILE: /secrets/redis-ca/ca.crt
{{- end }}
{{- if .secretArn }}
REDIS_SECRET_ARN: {{ .secretArn | quote }}
{{- end }}
{{- if .iam }}
REDIS_IAM: {{ .iam | quote }}
{{- end }}
{{- end }}
{{- with .Values.aws.region }}
AWS_REGION: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* How S3 is reached, for pictures and for models. */}}
{{- define "nextscale.env.s3" -}}
{{- with .Values.store.s3 }}
{{- if .region }}
S3_REGION: {{ .region | quote }}
{{- end }}
{{- if .endpoint }}
S3_ENDPOINT: {{ .endpoint | quote }}
{{- end }}
{{- if .pathStyle }}
S3_FORCE_PATH_STYLE: {{ .pathStyle | quote }}
{{- end }}
{{- if .existingSecret }}
AWS_SHARED_CREDENTIALS_FILE: /secrets/s3/credentials
{{- end }}
{{- end }}
{{- end -}}

{{- define "nextscale.env.store" -}}
{{- if eq .Values.store.kind "s3" }}
{{- with .Values.store.s3 }}
S3_BUCKET: {{ .bucket | quote }}
{{- if .prefix }}
S3_PREFIX: {{ .prefix | quote }}
{{- end }}
{{- if .publicEndpoint }}
S3_PUBLIC_ENDPOINT: {{ .publicEndpoint | quote }}
{{- end }}
{{- end }}
{{- else }}
OBJECT_DIR: /data
{{- if .Values.store.disk.linkSecret.existingSecret }}
LINK_SECRET_FILE: /secrets/links/secret
{{- end }}
{{- end }}
{{- end -}}

{{/* What API and control process have in common: what one makes links of, the other does. */}}
{{- define "nextscale.env.service" -}}
{{- include "nextscale.env.redis" . }}
{{- include "nextscale.env.store" . }}
{{- if eq .Values.store.kind "s3" }}
{{- include "nextscale.env.s3" . }}
{{- end }}
{{- $tls := and .Values.ingress.enabled .Values.ingress.tlsSecret }}
{{- $ofIngress := ternary (printf "%s://%s" (ternary "https" "http" (not (empty $tls))) .Values.ingress.host) "" .Values.ingress.enabled }}
{{- with default $ofIngress .Values.api.publicUrl }}
PUBLIC_URL: {{ . | quote }}
{{- end }}
{{- if .Values.webhooks.signingKeys.existingSecret }}
WEBHOOK_SIGNING_KEYS_FILE: /secrets/signing-keys/keys
{{- end }}
{{- end -}}

{{/* Takes a list of maps: what a later one says counts. */}}
{{- define "nextscale.env.settings" -}}
{{- $all := dict }}
{{- range . }}{{- $all = mergeOverwrite $all (deepCopy .) }}{{- end }}
{{- range $name, $value := $all }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "nextscale.env.api" -}}
HOST: 0.0.0.0
PORT: "8080"
SHUTDOWN_DELAY_MS: {{ mul 1000 (int .Values.api.shutdownDelaySeconds) | quote }}
{{- include "nextscale.env.service" . }}
{{- $all := omit .Values.settings "LOCK_DURATION_MS" "STALLED_INTERVAL_MS" }}
{{- include "nextscale.env.settings" (list $all .Values.api.settings) }}
{{- end -}}

{{- define "nextscale.env.metrics" -}}
METRICS_HOST: 0.0.0.0
METRICS_PORT: "9400"
{{- end -}}

{{- define "nextscale.env.control" -}}
{{ include "nextscale.env.metrics" . }}
{{- include "nextscale.env.service" . }}
{{- include "nextscale.env.settings" (list .Values.settings .Values.control.settings) }}
{{- end -}}

{{/* Takes root and pool, which is complete. */}}
{{- define "nextscale.env.runner" -}}
{{ include "nextscale.env.metrics" . }}
{{- include "nextscale.env.redis" .root }}
{{- include "nextscale.env.store" .root }}
POOL: {{ .pool.name | quote }}
{{- with .pool.models }}
MODELS: {{ join "," . | quote }}
{{- end }}
{{- if include "nextscale.usesS3" (dict "root" .root "component" "runner") }}
{{- include "nextscale.env.s3" .root }}
{{- end }}
{{- if contains "s3://" (join "," .pool.models) }}
MODELS_CACHE_DIR: /cache/models
{{- end }}
GRACE_MS: {{ mul 1000 (int .pool.graceSeconds) | quote }}
{{- if .pool.gpu }}
EXECUTION_PROVIDER: cuda
{{- else }}
CACHE_DIR: /cache/graphs
{{- end }}
{{- $all := omit .root.Values.settings "EGRESS" "EGRESS_PORTS" "EGRESS_DNS_SERVERS" }}
{{- include "nextscale.env.settings" (list $all .pool.settings) }}
{{- end -}}

{{/* The list of a container. Takes such a map as text. */}}
{{- define "nextscale.env" -}}
{{- $all := fromYaml . }}
{{- if hasKey $all "Error" }}{{- fail $all.Error }}{{- end }}
{{- range $name, $value := $all }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Secrets that a component reads as files: takes root and component. */}}
{{- define "nextscale.secrets" -}}
{{- $values := .root.Values }}
{{- $isService := has .component (list "api" "control") }}
{{- with $values.redis }}
{{- if .existingSecret }}
- { name: redis, secret: {{ .existingSecret }}, key: {{ .key }}, path: url }
{{- end }}
{{- if .ca.existingSecret }}
- { name: redis-ca, secret: {{ .ca.existingSecret }}, key: {{ .ca.key }}, path: ca.crt }
{{- end }}
{{- end }}
{{- if ne .component "first-key" }}
{{- $usesS3 := include "nextscale.usesS3" . }}
{{- with $values.store.s3 }}
{{- if and .existingSecret $usesS3 }}
- { name: s3, secret: {{ .existingSecret }}, key: {{ .key }}, path: credentials }
{{- end }}
{{- end }}
{{- with $values.store.disk.linkSecret }}
{{- if and .existingSecret (eq $values.store.kind "disk") }}
- { name: links, secret: {{ .existingSecret }}, key: {{ .key }}, path: secret }
{{- end }}
{{- end }}
{{- end }}
{{- if and $isService $values.webhooks.signingKeys.existingSecret }}
- { name: signing-keys, secret: {{ $values.webhooks.signingKeys.existingSecret }}, key: {{ $values.webhooks.signingKeys.key }}, path: keys }
{{- end }}
{{- end -}}
